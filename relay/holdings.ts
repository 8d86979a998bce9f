import { create, fromBinary } from "@bufbuild/protobuf";
import { type ProjectPin, ProjectPinSchema } from "../gen/headwater/v1/mesh_pb.ts";
import { WriterKeysSchema } from "../gen/headwater/v1/store_pb.ts";
import { changeWrites, leftoverWrites, type Records, restoreLedger } from "./durable.ts";
import type { Exposure, Write } from "./effect.ts";
import { Project } from "./layers/project.ts";
import { Ledger, type LedgerChange } from "./ledger/ledger.ts";
import { type LedgerId, type LedgerNameLike, ledgerId } from "./ledger/position.ts";
import { type Writer, writerOf } from "./ledger/writer.ts";
import { projectsCountMax } from "./limits.ts";
import type { Served } from "./link/downlink.ts";
import { LedgerFrames } from "./link/ledger-frames.ts";
import { done, type Outcome, refused } from "./refusal.ts";
import { bytesEqual, toHex } from "./trust/key.ts";

/** What a node holds: the projects that were pinned, their ledgers, and keys to write some. */
export class Holdings {
  readonly #pins = new Map<string, ProjectPin>();
  readonly #ledgers = new Map<LedgerId, Ledger>();
  readonly #projects = new Map<string, Project>();
  readonly #served = new Map<LedgerId, Served>();
  readonly #writers = new Map<LedgerId, Writer>();
  readonly #nodeId: Uint8Array;
  /** What the store still has of damaged ledgers. */
  readonly #leftovers = new Map<LedgerId, readonly Write[]>();
  /** Keys of ledgers that do not exist yet, by project. */
  readonly prepared = new Map<string, Writer>();
  /** Ledgers whose stored form was damaged, with what was wrong. */
  readonly damaged: readonly string[];

  /** Pins of the trust file go before those that were stored. */
  constructor(records: Records, pins: readonly ProjectPin[], nodeId: Uint8Array) {
    this.#nodeId = nodeId;
    for (const bytes of records.get("pin")?.values() ?? []) {
      const pin = fromBinary(ProjectPinSchema, bytes);
      this.#pins.set(pin.project, pin);
    }
    for (const pin of pins) this.#pins.set(pin.project, pin);
    for (const [key, bytes] of records.get("key") ?? []) {
      const keys = fromBinary(WriterKeysSchema, bytes);
      if (keys.ledger !== undefined) this.#writers.set(ledgerId(keys.ledger), writerOf(keys));
      else this.prepared.set(key.slice(key.indexOf(" ") + 1), writerOf(keys));
    }
    const damaged: string[] = [];
    for (const pin of this.#pins.values()) {
      for (const ledger of this.#ledgersOf(pin)) {
        const problem = restoreLedger(ledger, records);
        if (problem === undefined) continue;
        damaged.push(`${ledger.id}: ${problem}`);
        this.#leftovers.set(ledger.id, leftoverWrites(ledger, records));
      }
      this.#open(pin);
    }
    this.damaged = damaged;
  }

  get pins(): readonly ProjectPin[] {
    return [...this.#pins.values()];
  }

  get ledgers(): ReadonlyMap<LedgerId, Ledger> {
    return this.#ledgers;
  }

  get projects(): ReadonlyMap<string, Project> {
    return this.#projects;
  }

  get served(): ReadonlyMap<LedgerId, Served> {
    return this.#served;
  }

  get writers(): ReadonlyMap<LedgerId, Writer> {
    return this.#writers;
  }

  ledger(name: LedgerNameLike): Ledger | undefined {
    return this.#ledgers.get(ledgerId(name));
  }

  /** The project's own ledger, or the one of the authority. */
  ledgerOf(project: string, authority: Uint8Array): Outcome<Ledger> {
    const held = this.#projects.get(project);
    const ledger = authority.length === 0 ? held?.ownLedger : this.ledger({ authority, project });
    if (ledger !== undefined) return done(ledger);
    const known = [...this.#projects.keys()].slice(0, 20).join(", ");
    return refused(
      "unknown",
      `project: ${JSON.stringify(project)} is not held here${authority.length === 0 ? "" : " with this authority"}`,
      known === ""
        ? "headwater init makes one, headwater join brings some."
        : `Held are: ${known}.`,
    );
  }

  /** The pins that are new; refused when one says otherwise than what is pinned. */
  newPins(pins: readonly ProjectPin[]): Outcome<ProjectPin[]> {
    const fresh: ProjectPin[] = [];
    for (const pin of pins) {
      const held =
        this.#pins.get(pin.project) ?? fresh.find(({ project }) => project === pin.project);
      if (held === undefined) fresh.push(pin);
      else if (!samePin(held, pin))
        return refused(
          "conflict",
          `pins: ${pin.project} is of authority ${toHex(pin.authority)} there, pinned here is ${toHex(held.authority)}`,
          "Find out which is right; a trust file settles it.",
        );
    }
    if (this.#pins.size + fresh.length > projectsCountMax)
      return refused("limit", `pins: a node holds ${projectsCountMax} projects`);
    return done(fresh);
  }

  pin(pin: ProjectPin): void {
    this.#pins.set(pin.project, pin);
    this.#ledgersOf(pin);
    this.#open(pin);
  }

  /** Takes up a ledger that was founded here: its way begins at this node. */
  found(ledger: Ledger, writer: Writer): void {
    const { authority, project } = ledger.name;
    this.#ledgers.set(ledger.id, ledger);
    this.#writers.set(ledger.id, writer);
    this.prepared.delete(project);
    this.pin(create(ProjectPinSchema, { project, authority }));
  }

  /**
   * All that a change makes durable. What is left of a damaged ledger goes with the first change
   * that replaces it; until then somebody may still want to save it.
   */
  changeWrites(ledger: Ledger, change: LedgerChange): Write[] {
    return [...(this.#leftovers.get(ledger.id) ?? []), ...changeWrites(ledger, change)];
  }

  /** Makes a durable change; what apps get to see of it. */
  accept(ledger: Ledger, change: LedgerChange, wallMs: number): Exposure[] {
    this.#leftovers.delete(ledger.id);
    const keys = [...change.staged.puts.map(({ key }) => key), ...change.staged.deletes];
    ledger.accept(change);
    const project = this.#projects.get(ledger.name.project);
    if (project === undefined) return [];
    return [{ project: project.name, ...project.changed(ledger, keys, wallMs) }];
  }

  /** What apps get to see of grants that have come or ended, in a project or in all. */
  refold(wallMs: number, project?: string): Exposure[] {
    return [...this.#projects.values()].flatMap((one): Exposure[] => {
      if (project !== undefined && one.name !== project) return [];
      const changes = one.refold(wallMs);
      return changes.length === 0 ? [] : [{ project: one.name, changes, vocabulary: false }];
    });
  }

  /** How a ledger came here has changed. */
  setHops(id: LedgerId, hops: readonly Uint8Array[]): void {
    const served = this.#served.get(id);
    if (served !== undefined) this.#served.set(id, { ...served, hops });
  }

  #ledgersOf(pin: ProjectPin): Ledger[] {
    return [pin.authority, ...pin.overlays].map((authority) => {
      const name = { authority, project: pin.project };
      const ledger = this.#ledgers.get(ledgerId(name)) ?? new Ledger(name);
      this.#ledgers.set(ledger.id, ledger);
      return ledger;
    });
  }

  #open(pin: ProjectPin): void {
    const [own, ...overlays] = this.#ledgersOf(pin);
    if (own === undefined) return;
    this.#projects.set(pin.project, new Project(pin.project, own, overlays));
    for (const ledger of [own, ...overlays]) {
      if (this.#served.has(ledger.id)) continue;
      const frames = new LedgerFrames(ledger);
      this.#served.set(ledger.id, { ledger, frames, hops: [this.#nodeId] });
    }
  }
}

function samePin(a: ProjectPin, b: ProjectPin): boolean {
  return (
    bytesEqual(a.authority, b.authority) &&
    a.overlays.length === b.overlays.length &&
    a.overlays.every((one) => b.overlays.some((other) => bytesEqual(one, other)))
  );
}
