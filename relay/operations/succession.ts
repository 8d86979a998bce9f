import { create } from "@bufbuild/protobuf";
import { type LedgerName, TrustSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import type { PromoteRequest } from "../../gen/headwater/v1/ledgers_pb.ts";
import { advance, advanceTrust } from "../advance.ts";
import { auditNote, trustWrite } from "../durable.ts";
import type { EventOf, Moment } from "../event.ts";
import { takeOver } from "../ledger/first-head.ts";
import { freshnessOf } from "../ledger/freshness.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { Writer } from "../ledger/writer.ts";
import { sequenceMax } from "../limits.ts";
import { outrunProblem } from "../outrun.ts";
import type { NodeParts } from "../parts.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { takeOverRollouts } from "../rollout/ramp.ts";
import { bytesEqual, keyBytes } from "../trust/key.ts";
import {
  beatKeysOf,
  extendTrust,
  ledgerGrantOf,
  ledgerTermsOf,
  type Trusted,
  trustDigest,
} from "../trust/trusted.ts";
import type { Operation } from "./operation.ts";

/** New roots and grants of an authority, from its operator: what they sign, all nodes follow. */
export function updateTrust(
  parts: NodeParts,
  { request, at, by = { actor: request.actor } }: EventOf<"update-trust">,
): Outcome<Operation> {
  const found = ledgerNamed(parts, request.ledger);
  if (!found.ok) return found;
  const ledger = found.value;
  if (request.trust === undefined) return refused("invalid", "trust: missing");
  const extended = extendTrust(ledger.name, ledger.trusted, request.trust);
  if (!extended.ok) return extended;
  const trusted = extended.value;
  const changed = !bytesEqual(trustDigest(ledger.trusted), trustDigest(trusted));
  const value = {
    changed,
    rootVersion: trusted.root.version,
    grantsCount: trusted.grants.length,
  };
  if (!changed) return done({ writes: [], accept: () => ({ value, effects: [] }) });
  const problem = orphanProblem(ledger, trusted, at);
  if (problem !== undefined) return problem;
  const key = `trust/root-${value.rootVersion}`;
  return done({
    writes: [
      trustWrite(ledger, trusted),
      auditNote({ ledger, position: ledger.position, key, by, at }),
    ],
    accept: () => ({
      value,
      effects: advanceTrust(parts, { ledger, trusted, source: { kind: "here" }, at }),
    }),
  });
}

/** A root can not be taken back: one under which nobody could write would end the ledger. */
function orphanProblem(
  ledger: Ledger,
  trusted: Trusted,
  { wallMs }: Moment,
): ReturnType<typeof refused> | undefined {
  const term = ledger.position?.term ?? 0;
  const hint = "Sign it again with the grants that are still wanted: `headwater keys rotate`.";
  if (!ledgerTermsOf(trusted, wallMs).some((one) => one >= term))
    return refused(
      "invalid",
      `grants: none for a ledger key of term ${term} or later, so nobody could write it`,
      hint,
    );
  if (beatKeysOf(trusted, wallMs).length === 0)
    return refused("invalid", "grants: none for a beat key, so all data would expire", hint);
  return undefined;
}

/** This node becomes the writer, in a new term, of what it holds. */
export function promote(
  parts: NodeParts,
  { request, at, by = { actor: request.actor } }: EventOf<"promote">,
): Outcome<Operation> {
  const found = ledgerNamed(parts, request.ledger);
  if (!found.ok) return found;
  const ledger = found.value;
  if (request.term > sequenceMax) return refused("invalid", "term: out of bounds");
  const written = promotedWriter(request, parts.holdings.writers.get(ledger.id));
  if (!written.ok) return written;
  const writer = written.value;
  const trusted = trustedWith(ledger, request.grants);
  if (!trusted.ok) return trusted;
  const problem =
    termProblem(ledger, trusted.value, request.term, at) ??
    rivalProblem(parts, ledger, { force: request.force, at });
  if (problem !== undefined) return problem;
  const { head } = request;
  const taken = takeOver({ ledger, trusted: trusted.value, writer, head, wallMs: at.wallMs });
  if (!taken.ok) return taken;
  const change = taken.value;
  const { position } = change.head;
  const value = { previous: ledger.position, position };
  const key = `trust/term-${request.term}`;
  const { project } = ledger.name;
  const isOwn = parts.holdings.projects.get(project)?.ownLedger === ledger;
  const rollouts = isOwn
    ? takeOverRollouts(parts, { project, term: request.term, at })
    : { writes: [], accept: () => [] };
  const copy = parts.oldCopy.goOn(ledger.id);
  return done({
    writes: [
      { bucket: "key", key: ledger.id, value: writer.record(ledger.name) },
      trustWrite(ledger, trusted.value),
      ...parts.holdings.changeWrites(ledger, change),
      auditNote({ ledger, position, key, by, at }),
      ...rollouts.writes,
      ...copy.writes,
    ],
    accept: () => {
      const source = { kind: "here" } as const;
      const upstreams = parts.uplinks.all.filter((uplink) => uplink.takes(ledger.id));
      parts.holdings.takeOver(ledger, writer);
      copy.accept();
      const effects = [
        ...advanceTrust(parts, { ledger, trusted: trusted.value, source, at }),
        ...advance(parts, { ledger, change, source, at }),
        ...upstreams.flatMap(({ settings: { id } }) =>
          parts.uplinks.end(id, `${ledger.name.project} is written here now`, at.monoMs),
        ),
        ...rollouts.accept(),
      ];
      return { value, effects };
    },
  });
}

/** Without a ledger key the new term's heads are signed elsewhere; a beat key may stay. */
function promotedWriter(
  { term, ledgerSeed, beatSeed: given, head }: PromoteRequest,
  former: Writer | undefined,
): Outcome<Writer> {
  const isElsewhere = ledgerSeed.length === 0 && head !== undefined;
  const beatSeed = isElsewhere && given.length === 0 ? former?.beatKey.seed : given;
  if (beatSeed === undefined)
    return refused(
      "invalid",
      "beat_seed: missing, and this node has no beat key for the project",
      "Promote the node that beats, or give a recovery file, which brings one.",
    );
  if ((!isElsewhere && ledgerSeed.length !== keyBytes) || beatSeed.length !== keyBytes)
    return refused("invalid", `ledger_seed, beat_seed: not ${keyBytes} bytes`);
  return done(new Writer({ term, ledgerSeed, beatSeed }));
}

function ledgerNamed(parts: NodeParts, name: LedgerName | undefined): Outcome<Ledger> {
  if (name === undefined) return refused("invalid", "ledger: missing");
  return parts.holdings.ledgerOf(name.project, name.authority);
}

function trustedWith(
  ledger: Ledger,
  grants: Parameters<typeof extendTrust>[2]["grants"],
): Outcome<Trusted> {
  if (ledger.trusted === undefined || ledger.head === undefined)
    return refused(
      "unavailable",
      `ledger: ${ledger.name.project} has nothing verified here to go on from`,
      "Promote a node that holds it, or let this one join such a node first.",
    );
  return extendTrust(ledger.name, ledger.trusted, create(TrustSchema, { grants }));
}

function termProblem(
  ledger: Ledger,
  trusted: Trusted,
  term: number,
  { wallMs }: Moment,
): ReturnType<typeof refused> | undefined {
  const held = ledger.position?.term ?? 0;
  if (term <= held)
    return refused(
      "conflict",
      `term: ${ledger.name.project} is in term ${held} already, and a term never goes back`,
      `Use the grant of term ${held + 1}.`,
    );
  const grant = ledgerGrantOf(trusted, { term, wallMs });
  if (grant === undefined) return undefined;
  const follows = grant.follows === 0 ? term - 1 : grant.follows;
  if (held >= follows) return undefined;
  return refused(
    "conflict",
    `term: ${term} follows ${follows}, and ${ledger.name.project} is in term ${held} here`,
    `Use the grant of term ${held + 1}; where that is lost, sign one for term ${term} that says --follows ${held}.`,
  );
}

/** Two who write would each be right for those below them. */
function rivalProblem(
  parts: NodeParts,
  ledger: Ledger,
  of: { force: boolean; at: Moment },
): ReturnType<typeof refused> | undefined {
  const isOurs = parts.holdings.writers.has(ledger.id);
  const outrun = of.force
    ? undefined
    : (parts.oldCopy.problem(ledger.id, of.at) ?? outrunProblem(parts.holdings, ledger));
  if (outrun !== undefined) return outrun;
  if (of.force || isOurs || freshnessOf(ledger, of.at.wallMs) !== "FRESH") return undefined;
  return refused(
    "conflict",
    `ledger: the writer of ${ledger.name.project} was heard of within the last minutes`,
    "Stop it first; where it is not yours any more, --force takes over at once.",
  );
}
