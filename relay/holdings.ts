import { create, fromBinary } from "@bufbuild/protobuf";
import type { Position } from "../gen/headwater/v1/ledger_pb.ts";
import { type ProjectPin, ProjectPinSchema } from "../gen/headwater/v1/mesh_pb.ts";
import { WriterKeysSchema } from "../gen/headwater/v1/store_pb.ts";
import {
  changeWrites,
  lateWrite,
  leftoverWrites,
  pinWrite,
  type Records,
  restoreLedger,
} from "./durable.ts";
import type { Exposure, Write } from "./effect.ts";
import { Project } from "./layers/project.ts";
import { noChange } from "./layers/project-change.ts";
import { Watchers } from "./layers/watchers.ts";
import { Ledger, type LedgerChange } from "./ledger/ledger.ts";
import { type LedgerId, type LedgerNameLike, ledgerId } from "./ledger/position.ts";
import { type Writer, writerOf } from "./ledger/writer.ts";
import { layersCountMax, projectsCountMax } from "./limits.ts";
import type { Served } from "./link/downlink.ts";
import { LedgerFrames } from "./link/ledger-frames.ts";
import { quoted } from "./quoted.ts";
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
  /** Projects whose layers the trust file names: only it changes them. */
  readonly #fixed: ReadonlySet<string>;
  /** Heads of ledgers written here that others hold and this node does not: it has an old copy. */
  readonly outrun = new Map<LedgerId, Position>();
  /** Of all projects, also of those that are not pinned. */
  readonly watchers: Watchers = new Watchers();
  /** Keys of ledgers that do not exist yet, by what they are for. */
  readonly prepared = new Map<string, Writer>();
  /** Ledgers whose stored form was damaged, with what was wrong. */
  readonly damaged: readonly string[];
  /** Overlays that had not come when the node was started, and without which it goes on serving. */
  readonly #late: ReadonlySet<string>;

  /** Pins of the trust file go before those that were stored. */
  constructor(records: Records, pins: readonly ProjectPin[], nodeId: Uint8Array) {
    this.#nodeId = nodeId;
    for (const bytes of records.get("pin")?.values() ?? []) {
      const pin = fromBinary(ProjectPinSchema, bytes);
      this.#pins.set(pin.project, pin);
    }
    for (const [key, bytes] of records.get("key") ?? []) {
      const keys = fromBinary(WriterKeysSchema, bytes);
      if (keys.ledger !== undefined) this.#writers.set(ledgerId(keys.ledger), writerOf(keys));
      else this.prepared.set(key.slice(key.indexOf(" ") + 1), writerOf(keys));
    }
    this.#late = new Set(records.get("late")?.keys());
    this.#fixed = new Set(pins.map(({ project }) => project));
    for (const pin of pins) this.#pins.set(pin.project, this.#withOwnOverlay(pin));
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

  readonly pinOf = (project: string): ProjectPin | undefined => this.#pins.get(project);

  /** The overlay of a project that is written at this node. */
  ownOverlayOf(project: string): Uint8Array | undefined {
    return this.#pins
      .get(project)
      ?.overlays.find((authority) => this.#writers.has(ledgerId({ authority, project })));
  }

  ledger(name: LedgerNameLike): Ledger | undefined {
    return this.#ledgers.get(ledgerId(name));
  }

  projectNamed(name: string): Outcome<Project> {
    const project = this.#projects.get(name);
    if (project !== undefined) return done(project);
    const ledger = this.ledgerOf(name, new Uint8Array(0));
    return ledger.ok ? refused("unknown", `project: ${name}`) : ledger;
  }

  /** The project's own ledger, or the one of the authority. */
  ledgerOf(project: string, authority: Uint8Array): Outcome<Ledger> {
    const held = this.#projects.get(project);
    const ledger = authority.length === 0 ? held?.ownLedger : this.ledger({ authority, project });
    if (ledger !== undefined) return done(ledger);
    const known = [...this.#projects.keys()].slice(0, 20).join(", ");
    return refused(
      "unknown",
      `project: ${quoted(project)} is not held here${authority.length === 0 ? "" : " with this authority"}`,
      known === ""
        ? "`headwater init` makes one, `headwater join` brings some."
        : `Held are: ${known}.`,
    );
  }

  /** Pins that are new or have more layers, whole; refused when one is of another authority. */
  newPins(pins: readonly ProjectPin[]): Outcome<ProjectPin[]> {
    const fresh = new Map<string, ProjectPin>();
    for (const pin of pins) {
      const held = fresh.get(pin.project) ?? this.#pins.get(pin.project);
      const joined = held === undefined ? done(pin) : this.#joinPins(held, pin);
      if (!joined.ok) return joined;
      if (joined.value !== held) fresh.set(pin.project, joined.value);
    }
    const projects = new Set([...this.#pins.keys(), ...fresh.keys()]);
    if (projects.size > projectsCountMax)
      return refused("limit", `pins: a node holds ${projectsCountMax} projects`);
    return done([...fresh.values()]);
  }

  /** All that pins make durable: also of which overlays a served project does not wait to be served. */
  pinWrites(pins: readonly ProjectPin[]): Write[] {
    return pins.flatMap((pin) => {
      const project = this.#projects.get(pin.project);
      if (project === undefined || project.isEmpty) return [pinWrite(pin)];
      const known = project.ledgers.map(({ id }) => id);
      const more = pin.overlays
        .map((authority) => new Ledger({ authority, project: pin.project }))
        .filter(({ id }) => !known.includes(id));
      return [pinWrite(pin), ...more.map((ledger) => lateWrite(ledger, true))];
    });
  }

  pin(pin: ProjectPin): void {
    const held = this.#pins.get(pin.project);
    this.#pins.set(pin.project, pin);
    const project = this.#projects.get(pin.project);
    if (held === undefined || project === undefined) {
      this.#open(pin);
      return;
    }
    const known = project.ledgers;
    const more = this.#ledgersOf(pin).filter((ledger) => !known.includes(ledger));
    project.extend(more);
    for (const ledger of more) this.#serve(ledger);
  }

  /** Takes up a ledger that was founded here: its way begins at this node. */
  found(ledger: Ledger, writer: Writer, pin: ProjectPin): void {
    this.#ledgers.set(ledger.id, ledger);
    this.#writers.set(ledger.id, writer);
    this.pin(pin);
  }

  /** From now on a ledger that is held is written here: its way begins at this node. */
  takeOver(ledger: Ledger, writer: Writer): void {
    this.#writers.set(ledger.id, writer);
    this.setHops(ledger.id, [this.#nodeId]);
  }

  /** Somebody else writes a ledger from now on. */
  retire(id: LedgerId): void {
    this.#writers.delete(id);
    this.outrun.delete(id);
  }

  /**
   * All that a change makes durable. What is left of a damaged ledger goes with the first change
   * that replaces it; until then somebody may still want to save it.
   */
  changeWrites(ledger: Ledger, change: LedgerChange): Write[] {
    const isLate = this.#projects.get(ledger.name.project)?.isLate(ledger) === true;
    return [
      ...(this.#leftovers.get(ledger.id) ?? []),
      // Without it from now on the project would be without its kills.
      ...(isLate ? [lateWrite(ledger, false)] : []),
      ...changeWrites(ledger, change),
    ];
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
      const change = one.refold(wallMs);
      return change === noChange ? [] : [{ project: one.name, ...change }];
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
    const late = overlays.filter(({ id }) => this.#late.has(id) && !this.#leftovers.has(id));
    this.#projects.set(pin.project, new Project(pin.project, own, overlays, this.watchers, late));
    for (const ledger of [own, ...overlays]) this.#serve(ledger);
  }

  #serve(ledger: Ledger): void {
    if (this.#served.has(ledger.id)) return;
    const frames = new LedgerFrames(ledger);
    this.#served.set(ledger.id, { ledger, frames, hops: [this.#nodeId] });
  }

  /** The trust file's word on what others say; what this node says itself stays. */
  #withOwnOverlay(pin: ProjectPin): ProjectPin {
    const held = this.#pins.get(pin.project);
    const own = this.ownOverlayOf(pin.project);
    if (held === undefined || own === undefined || !bytesEqual(held.authority, pin.authority))
      return pin;
    return withOverlays(pin, [own]);
  }

  #joinPins(held: ProjectPin, pin: ProjectPin): Outcome<ProjectPin> {
    if (!bytesEqual(held.authority, pin.authority))
      return refused(
        "conflict",
        `pins: ${pin.project} is of authority ${toHex(pin.authority)} there, pinned here is ${toHex(held.authority)}`,
        "Find out which is right; a trust file settles it.",
      );
    const joined = withOverlays(held, pin.overlays);
    if (joined === held) return done(held);
    if (this.#fixed.has(pin.project))
      return refused(
        "conflict",
        `pins: ${pin.project} has overlays there that this node's trust file does not name`,
        "Name them in the trust file, which goes before what a parent says.",
      );
    if (joined.overlays.length >= layersCountMax)
      return refused("limit", `pins: ${pin.project} would have more than ${layersCountMax} layers`);
    return done(joined);
  }
}

/** The same pin when it has them all. */
function withOverlays(pin: ProjectPin, overlays: readonly Uint8Array[]): ProjectPin {
  const more = overlays.filter((one) => !pin.overlays.some((other) => bytesEqual(one, other)));
  if (more.length === 0) return pin;
  return create(ProjectPinSchema, { ...pin, overlays: [...pin.overlays, ...more] });
}
