import { create } from "@bufbuild/protobuf";
import { type ProjectPin, ProjectPinSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { advance } from "../advance.ts";
import { pinWrite, trustWrite } from "../durable.ts";
import type { EventOf, OperatorEvent } from "../event.ts";
import { isName } from "../flag/name.ts";
import type { Holdings } from "../holdings.ts";
import { foundLedger } from "../ledger/first-head.ts";
import { Writer } from "../ledger/writer.ts";
import { layersCountMax, projectsCountMax } from "../limits.ts";
import type { NodeParts } from "../parts.ts";
import { quoted } from "../quoted.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { bytesEqual, keyBytes } from "../trust/key.ts";
import type { Operation } from "./operation.ts";

type Founding = Pick<Extract<OperatorEvent, { kind: "prepare-ledger" }>, "project" | "overlay">;

/** Keys for a ledger that does not exist yet; asking again before it does makes new ones. */
export function prepareLedger(
  parts: NodeParts,
  event: EventOf<"prepare-ledger">,
): Outcome<Operation> {
  const problem = foundingProblem(parts.holdings, event);
  if (problem !== undefined) return problem;
  const name = preparedName(event);
  const { ledgerKey } = event;
  if (ledgerKey !== undefined && ledgerKey.length !== keyBytes)
    return refused("invalid", `ledger_key: not ${keyBytes} bytes`);
  const ledgerSeed = ledgerKey === undefined ? event.ledgerSeed : new Uint8Array(0);
  const writer = new Writer({ term: 1, ledgerSeed, beatSeed: event.beatSeed });
  const value = {
    ledgerKey: ledgerKey ?? writer.ledgerKey?.publicKey,
    beatKey: writer.beatKey.publicKey,
  };
  return done({
    writes: [{ bucket: "key", key: preparedKey(name), value: writer.record(undefined) }],
    accept: () => {
      parts.holdings.prepared.set(name, writer);
      return { value, effects: [] };
    },
  });
}

/** A ledger whose way begins at this node: a project's own, or an overlay of one that is held. */
export function createLedger(
  parts: NodeParts,
  event: EventOf<"create-ledger">,
): Outcome<Operation> {
  const { holdings, peers } = parts;
  const problem = foundingProblem(holdings, event);
  if (problem !== undefined) return problem;
  const { project, trust, at } = event;
  const prepared = preparedName(event);
  const writer = holdings.prepared.get(prepared);
  if (writer === undefined)
    return refused(
      "invalid",
      "project: no keys were prepared for it",
      "`headwater init` does both.",
    );
  const { head } = event;
  const founded = foundLedger({ project, trust, writer, head, wallMs: at.wallMs });
  if (!founded.ok) return founded;
  const { ledger, trusted, change } = founded.value;
  const name = { authority: ledger.name.authority, project };
  const pin = pinWith(holdings, name);
  if (!pin.ok) return pin;
  return done({
    writes: [
      { bucket: "key", key: preparedKey(prepared), value: undefined },
      { bucket: "key", key: ledger.id, value: writer.record(name) },
      pinWrite(pin.value),
      trustWrite(ledger, trusted),
      ...holdings.changeWrites(ledger, change),
    ],
    accept: () => {
      ledger.trusted = trusted;
      holdings.prepared.delete(prepared);
      holdings.found(ledger, writer, pin.value);
      const effects = advance(parts, { ledger, change, source: { kind: "here" }, at });
      effects.push(peers.publish(peers.seal.pins(holdings.pins)));
      return { value: { ledger: name, position: change.head.position }, effects };
    },
  });
}

const overlayPrefix = "overlay ";

/** No project's name has a space. */
function preparedName({ project, overlay }: Founding): string {
  return overlay ? `${overlayPrefix}${project}` : project;
}

const preparedKey = (name: string): string => `prepared ${name}`;

/** The pin of a project with one more ledger: its own, or an overlay. */
function pinWith(
  holdings: Holdings,
  { authority, project }: { authority: Uint8Array; project: string },
): Outcome<ProjectPin> {
  const held = holdings.pinOf(project);
  if (held === undefined) return done(create(ProjectPinSchema, { project, authority }));
  if ([held.authority, ...held.overlays].some((one) => bytesEqual(one, authority)))
    return refused("conflict", `trust: its authority is pinned for ${project} already`);
  const overlays = [...held.overlays, authority];
  return done(create(ProjectPinSchema, { project, authority: held.authority, overlays }));
}

function foundingProblem(
  holdings: Holdings,
  founding: Founding,
): ReturnType<typeof refused> | undefined {
  const { project, overlay } = founding;
  if (!isName(project)) return refused("invalid", `project: ${quoted(project)} is not a name`);
  return overlay ? overlayProblem(holdings, project) : projectProblem(holdings, project);
}

function projectProblem(
  { projects, prepared }: Holdings,
  project: string,
): ReturnType<typeof refused> | undefined {
  const names = [...prepared.keys()].filter((name) => !name.startsWith(overlayPrefix));
  if (!prepared.has(project) && projects.size + names.length >= projectsCountMax)
    return refused("limit", `project: a node holds ${projectsCountMax}`);
  if (!projects.has(project)) return undefined;
  return refused(
    "conflict",
    `project: ${project} is held here already`,
    `\`headwater status\` shows it; \`headwater init ${project} --overlay\` makes an overlay of it.`,
  );
}

function overlayProblem(
  holdings: Holdings,
  project: string,
): ReturnType<typeof refused> | undefined {
  const pin = holdings.pinOf(project);
  if (pin === undefined)
    return refused(
      "unknown",
      `project: ${project} is not held here, so it has nothing to lie over`,
      `\`headwater join\` takes it from a parent; \`headwater init ${project}\` starts it here.`,
    );
  if (holdings.ownOverlayOf(project) !== undefined)
    return refused(
      "conflict",
      `project: this node writes an overlay of ${project} already`,
      `\`headwater overlay list ${project}\` shows what it says.`,
    );
  if (pin.overlays.length + 1 < layersCountMax) return undefined;
  return refused("limit", `project: ${project} has ${layersCountMax} layers, which is the most`);
}
