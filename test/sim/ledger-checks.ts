import { fromBinary } from "@bufbuild/protobuf";
import {
  EnvelopeSchema,
  GrantSchema,
  type Head,
  HeadSchema,
} from "../../gen/headwater/v1/ledger_pb.ts";
import { WriterKeysSchema } from "../../gen/headwater/v1/store_pb.ts";
import type { Write } from "../../relay/effect.ts";
import { comparePositions, type LedgerId, ledgerId } from "../../relay/ledger/position.ts";
import { bytesEqual, toHex } from "../../relay/trust/key.ts";
import type { Hold } from "./checks.ts";
import { referenceFold, type Shown } from "./reference-fold.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { SignedState, Truth } from "./truth.ts";
import type { World } from "./world.ts";

/** The release that tables are looked at for. */
export const release = "1.0.0";

/** Once all is well a grant that has ended is noticed at the next look, a second later. */
export const grantGraceMs = 10_000;

/** Whether the project lets its overlay pin. */
export type PinGrant = "granted" | "ending" | "none";

/** Looks at what nodes have on disk and show, against what was really signed. */
export class LedgerChecks {
  readonly #world: World;
  readonly #truth: Truth;
  readonly #hold: Hold;
  readonly #project: string;
  readonly #highest = new Map<string, Map<LedgerId, SignedState>>();
  readonly #states = new WeakMap<Uint8Array, SignedState>();

  constructor(of: { world: World; truth: Truth; hold: Hold; project: string }) {
    this.#world = of.world;
    this.#truth = of.truth;
    this.#hold = of.hold;
    this.#project = of.project;
  }

  /** What a node once had is gone with its disk: it may begin anew. */
  forget(node: string): void {
    this.#highest.delete(node);
  }

  entries(node: SimulatedNode, id: LedgerId): Map<string, string> {
    return entriesOf(node, id);
  }

  highest(node: string, id: LedgerId): SignedState | undefined {
    return this.#highest.get(node)?.get(id);
  }

  started(node: SimulatedNode): void {
    for (const [id, highest] of this.#highest.get(node.name) ?? []) {
      const held = this.#read(node, id);
      this.#hold("I3", node.name, held !== undefined && !isBefore(held, highest), () =>
        held === undefined
          ? `it has forgotten ${id} over a restart`
          : `after a restart it is at ${textOf(held)}, and was at ${textOf(highest)}`,
      );
    }
  }

  /** Right after a write, before anything follows from it. */
  persisted(node: SimulatedNode, writes: readonly Write[]): void {
    for (const { bucket, key, value } of writes)
      if (bucket === "head" && value !== undefined) this.#headWritten(node, key as LedgerId, value);
  }

  #headWritten(node: SimulatedNode, id: LedgerId, headBytes: Uint8Array): void {
    const entries = entriesOf(node, id);
    if (this.#isWriter(node, id, headBytes))
      this.#truth.signed({ id, headBytes, entries, atMs: this.#world.nowMs });
    const { payload } = fromBinary(EnvelopeSchema, headBytes);
    const { position } = fromBinary(HeadSchema, payload);
    const at = { term: position?.term ?? 0, seq: position?.seq ?? 0 };
    const signed = this.#truth.at(id, at);
    this.#hold(
      "I2",
      node.name,
      signed !== undefined,
      () => `nobody has signed ${textOf(at)} of ${id}`,
    );
    if (signed === undefined) return;
    this.#hold(
      "I7",
      node.name,
      signed.payload === toHex(payload),
      () => `the head at ${textOf(at)} is not byte for byte what was signed`,
    );
    this.#hold(
      "I2",
      node.name,
      sameEntries(entries, signed.entries),
      () => `its entries at ${textOf(at)} are not what was signed`,
    );
    const highest = this.#highest.get(node.name)?.get(id);
    this.#hold(
      "I3",
      node.name,
      highest === undefined || !isBefore(signed, highest),
      () => `it goes back from ${highest && textOf(highest)} to ${textOf(at)}`,
    );
    this.#hold(
      "I3",
      node.name,
      highest === undefined || isBefore(highest, signed),
      () => `it takes ${textOf(at)} again, as if it were newer`,
    );
    const gone = [...(highest?.entries.keys() ?? [])].filter((key) => !entries.has(key));
    this.#hold(
      "I5",
      node.name,
      gone.every((key) => !signed.entries.has(key)),
      () => `${gone.join(", ")} disappeared`,
    );
    this.#remember(node.name, id, signed);
  }

  /** Its key, and the term of that key: a former writer takes what others sign. */
  #isWriter(node: SimulatedNode, id: LedgerId, headBytes: Uint8Array): boolean {
    const key = node.store.get("key", id);
    if (key === undefined) return false;
    const head = fromBinary(HeadSchema, fromBinary(EnvelopeSchema, headBytes).payload);
    return fromBinary(WriterKeysSchema, key).term === head.position?.term;
  }

  #remember(node: string, id: LedgerId, state: SignedState): void {
    const highest = this.#highest.get(node) ?? new Map<LedgerId, SignedState>();
    this.#highest.set(node, highest.set(id, state));
  }

  /** The state that a node has on disk. */
  held(node: SimulatedNode, id: LedgerId): SignedState | undefined {
    return this.#read(node, id);
  }

  #read(node: SimulatedNode, id: LedgerId): SignedState | undefined {
    const bytes = node.store.get("head", id);
    if (bytes === undefined) return undefined;
    const known = this.#states.get(bytes);
    if (known !== undefined) return known;
    const position = headIn(bytes)?.position;
    const state = position && this.#truth.at(id, position);
    if (state !== undefined) this.#states.set(bytes, state);
    return state;
  }

  /** The project's own ledger and its overlays, as a node has them pinned. */
  pinned(node: SimulatedNode): LedgerId[] {
    const pin = node.node.reads.pins().find(({ project }) => project === this.#project);
    if (pin === undefined) return [];
    const { project } = pin;
    return [pin.authority, ...pin.overlays].map((authority) => ledgerId({ authority, project }));
  }

  /**
   * What apps get must be what the layers on disk come to, with the grants that the node knows of,
   * or with those that there really are.
   */
  table(node: SimulatedNode, really?: PinGrant): void {
    const { wallMs } = this.#world.momentOf(node);
    const table = node.node.reads.table(this.#project, release, wallMs);
    const [own, ...overlays] = this.pinned(node).map((id) => this.#read(node, id));
    this.#trust(node);
    if (own === undefined) {
      this.#hold("I6", node.name, table === undefined, "it knows nothing, and shows a table");
      return;
    }
    if (table === undefined) return;
    const shown = new Map<string, Shown>();
    for (const [name, { reason, basisPoints }] of table.flags)
      shown.set(name, reason === "KILLED" ? "killed" : String(basisPoints));
    const held = overlays.filter((state) => state !== undefined);
    const fold = (pins: boolean): boolean =>
      sameShown(shown, referenceFold({ own, overlays: held, pins }));
    const grant = really ?? this.#pinGrant(node);
    const [without, withPins] = [fold(false), fold(true)];
    const isRight = (withPins && grant !== "none") || (without && grant !== "granted");
    this.#hold(
      "U3",
      node.name,
      isRight || !withPins,
      () => `a pin counts without a grant: ${listed(shown)}`,
    );
    this.#hold(
      "U2",
      node.name,
      isRight,
      () =>
        `apps see ${listed(shown)} where the layers come to ${listed(referenceFold({ own, overlays: held, pins: grant === "granted" }))}`,
    );
  }

  /** What the project's own ledger is judged by is not older than what its writer went by. */
  #trust(node: SimulatedNode): void {
    const authority = new Uint8Array(0);
    const known = node.node.reads.trust({ project: this.#project, authority });
    if (!known.ok || known.value.ledger === undefined) return;
    // What its disk has is then not what it goes by.
    if (node.node.reads.damaged().length > 0) return;
    const bytes = node.store.get("head", ledgerId(known.value.ledger));
    const head = bytes && headIn(bytes);
    if (head === undefined) return;
    const { roots = [], grants = [] } = known.value.trust ?? {};
    const { rootVersion, grantsCount } = head;
    const isKnown =
      roots.length > rootVersion || (roots.length === rootVersion && grants.length >= grantsCount);
    this.#hold(
      "U2",
      node.name,
      isKnown,
      () =>
        `it has root ${roots.length} with ${grants.length} grants, and took what was signed with root ${rootVersion} and ${grantsCount}`,
    );
  }

  /**
   * What the newest root that a node holds lets its overlays pin: grants end with their root. One that
   * ends by its date may count as before until the node looks, however far its clock has jumped.
   */
  #pinGrant(node: SimulatedNode): PinGrant {
    const overlays = node.node.reads.pins()[0]?.overlays ?? [];
    const authority = new Uint8Array(0);
    const trust = node.node.reads.trust({ project: this.#project, authority });
    if (!trust.ok || trust.value.trust === undefined) return "none";
    const { roots, grants } = trust.value.trust;
    const ends = grants.flatMap(({ payload }) => {
      const { power, expiresMs, rootVersion } = fromBinary(GrantSchema, payload);
      if (power.case !== "overlay" || rootVersion !== roots.length) return [];
      const { authority: granted } = power.value;
      return overlays.some((one) => bytesEqual(one, granted)) ? [Number(expiresMs)] : [];
    });
    const found = node.clock
      .wallsMs(this.#world.nowMs)
      .map((wallMs) => ends.some((end) => end === 0 || end > wallMs));
    if (found.every((isGranted) => isGranted)) return "granted";
    return found.some((isGranted) => isGranted) ? "ending" : "none";
  }
}

export function entriesOf(node: SimulatedNode, id: LedgerId): Map<string, string> {
  const prefix = `${id} `;
  const entries = new Map<string, string>();
  for (const key of node.store.keys("entry")) {
    const value = key.startsWith(prefix) ? node.store.get("entry", key) : undefined;
    if (value !== undefined) entries.set(key.slice(prefix.length), toHex(value));
  }
  return entries;
}

function sameEntries(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

function sameShown(a: ReadonlyMap<string, Shown>, b: ReadonlyMap<string, Shown>): boolean {
  return a.size === b.size && [...a].every(([name, shown]) => b.get(name) === shown);
}

function isBefore(a: SignedState, b: SignedState): boolean {
  return comparePositions(a, b) < 0;
}

function textOf({ term, seq }: { term: number; seq: number }): string {
  return `${term}.${seq}`;
}

function listed(shown: ReadonlyMap<string, Shown>): string {
  return (
    [...shown]
      .map(([name, value]) => `${name}=${value}`)
      .toSorted()
      .join(" ") || "nothing"
  );
}

const heads = new WeakMap<Uint8Array, Head>();

/** Undefined for a record that a disk has damaged. */
function headIn(headBytes: Uint8Array): Head | undefined {
  const known = heads.get(headBytes);
  if (known !== undefined) return known;
  try {
    const head = fromBinary(HeadSchema, fromBinary(EnvelopeSchema, headBytes).payload);
    heads.set(headBytes, head);
    return head;
  } catch {
    return undefined;
  }
}
