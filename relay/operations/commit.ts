import type { CommitRequest } from "../../gen/headwater/v1/ledgers_pb.ts";
import { advance } from "../advance.ts";
import { auditWrites } from "../durable.ts";
import type { EventOf, Moment, Origin } from "../event.ts";
import type { Project } from "../layers/project.ts";
import { prepareCommit } from "../ledger/commit.ts";
import { splitEntryKey } from "../ledger/entry.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { lostHint, outrunProblem } from "../outrun.ts";
import type { NodeParts } from "../parts.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { toHex } from "../trust/key.ts";
import { censusProblem } from "./census-enrollment.ts";
import type { Operation } from "./operation.ts";

/** What an operator commits; it never fights a running rollout. */
export function commit(parts: NodeParts, event: EventOf<"commit">): Outcome<Operation> {
  const { request, at, by = { actor: request.actor } } = event;
  const { project = "", authority = new Uint8Array(0) } = request.ledger ?? {};
  const own = parts.holdings.projects.get(project)?.ownLedger;
  const found = parts.holdings.ledgerOf(project, authority);
  const isOwn = own !== undefined && found.ok && found.value === own;
  const owned = isOwn ? parts.rollouts.ownershipProblem(own, request) : undefined;
  const census = isOwn ? censusProblem(parts, { own, request, wallMs: at.wallMs }) : undefined;
  return owned ?? census ?? prepareChange(parts, { request, at, by });
}

/** Entries of a ledger that is written here: made durable, then served. */
export function prepareChange(
  parts: NodeParts,
  of: { request: CommitRequest; at: Moment; by: Origin },
): Outcome<Operation> {
  const { request, at, by } = of;
  const name = request.ledger;
  if (name === undefined) return refused("invalid", "ledger: missing");
  const found = parts.holdings.ledgerOf(name.project, name.authority);
  if (!found.ok) return found;
  const ledger = found.value;
  const writer = parts.holdings.writers.get(ledger.id);
  if (writer === undefined)
    return refused(
      "forbidden",
      `ledger: ${name.project} is not written at this node`,
      writerHint(parts, ledger, at),
    );
  if (ledger.head === undefined)
    return refused("unavailable", `ledger: ${name.project} has nothing verified here`, lostHint);
  const outrun = parts.oldCopy.problem(ledger.id, at) ?? outrunProblem(parts.holdings, ledger);
  if (outrun !== undefined) return outrun;
  const ungranted = ungrantedProblem(parts, { ledger, entries: request.entries, at });
  if (ungranted !== undefined) return ungranted;
  const prepared = prepareCommit({ ledger, writer, request, wallMs: at.wallMs });
  if (!prepared.ok) return prepared;
  const change = prepared.value;
  if (change === undefined)
    return done({
      writes: [],
      accept: () => ({ value: { position: ledger.position, changed: false }, effects: [] }),
    });
  return done({
    writes: [
      ...parts.holdings.changeWrites(ledger, change),
      ...auditWrites({ ledger, change, by, wallMs: at.wallMs }),
    ],
    accept: () => ({
      value: { position: change.head.position, changed: true },
      effects: advance(parts, { ledger, change, source: { kind: "here" }, at }),
    }),
  });
}

/** Where a commit would be taken. */
function writerHint({ peers, uplinks }: NodeParts, { id }: Ledger, { monoMs }: Moment): string {
  const peer = peers.writerOf(id, monoMs);
  if (peer !== undefined) return `Commit at node ${peer} of this site: it has the key.`;
  const upstream = uplinks.primaryOf(id)?.settings.id;
  const where = upstream === undefined ? "the project's root" : `it came by way of ${upstream}`;
  return `Commit at the node that has its key: ${where}. To restrict it here and below: \`headwater overlay\`.`;
}

/** What the fold would take for nothing is not written in the first place. */
function ungrantedProblem(
  parts: NodeParts,
  of: { ledger: Ledger; entries: Parameters<Project["ungrantedAmong"]>[1]; at: Moment },
): ReturnType<typeof refused> | undefined {
  const { project, authority } = of.ledger.name;
  const held = parts.holdings.projects.get(project);
  const [key] = held?.ungrantedAmong(of.ledger, of.entries, of.at.wallMs) ?? [];
  if (key === undefined) return undefined;
  return refused(
    "forbidden",
    `entries: no grant of ${project} allows this overlay ${key}`,
    `Whoever has the root key of ${project} can grant it: \`headwater keys grant --overlay sha256:${toHex(authority)} ${grantOption(key)}\`.`,
  );
}

/** What of `keys grant` an overlay's entry needs. */
function grantOption(key: string): string {
  return splitEntryKey(key).kind === "alias" ? "--aliases" : "--pin-max PERCENT";
}
