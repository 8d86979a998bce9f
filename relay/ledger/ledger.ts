import type { Entry, Position } from "../../gen/headwater/v1/ledger_pb.ts";
import { ledgerBytesMax, ledgerEntriesMax } from "../limits.ts";
import { quoted } from "../quoted.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { bytesEqual } from "../trust/key.ts";
import type { Trusted } from "../trust/trusted.ts";
import { SetDigest } from "./digest.ts";
import { entryHash, entryKeyProblem, entryProblem, entrySize } from "./entry.ts";
import type { SignedBeat, SignedHead } from "./head.ts";
import { History, type HistoryStep } from "./history.ts";
import { ownBytes } from "./own-bytes.ts";
import { type LedgerId, type LedgerNameLike, ledgerId } from "./position.ts";

export interface HeldEntry {
  readonly value: Uint8Array;
  /** SHA-256, as `entryHash` has it. */
  readonly hash: Uint8Array;
}

/** What to make of a ledger: entries to put, keys to delete. */
export interface EntryChanges {
  readonly entries: readonly Pick<Entry, "key" | "value">[];
  readonly tombstones: readonly string[];
}

type StagedPut = HeldEntry & { readonly key: string };

/** Changes that were worked out against a ledger and have not been made yet. */
export interface StagedEntries {
  readonly puts: readonly StagedPut[];
  readonly deletes: readonly string[];
  readonly set: SetDigest;
  readonly bytes: number;
}

/** A step of a ledger to a newer head: staged, verified, to be made durable, then accepted. */
export interface LedgerChange {
  readonly head: SignedHead;
  readonly staged: StagedEntries;
  readonly step: HistoryStep | undefined;
  readonly stepsDropped: readonly number[];
}

/** One authority's signed, ordered state for one project, as this node holds it. */
export class Ledger {
  readonly name: LedgerNameLike;
  readonly id: LedgerId;
  readonly #entries = new Map<string, HeldEntry>();
  #set = SetDigest.empty;
  #bytes = 0;
  #head: SignedHead | undefined;
  #history = new History();
  trusted: Trusted | undefined;
  beat: SignedBeat | undefined;

  constructor(name: LedgerNameLike) {
    this.name = name;
    this.id = ledgerId(name);
  }

  get head(): SignedHead | undefined {
    return this.#head;
  }

  get position(): Position | undefined {
    return this.#head?.position;
  }

  get entries(): ReadonlyMap<string, HeldEntry> {
    return this.#entries;
  }

  /** Sum of all keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  get digest(): Uint8Array {
    return this.#set.digest;
  }

  get history(): History {
    return this.#history;
  }

  /** Works out what changes come to; nothing is changed. No-ops are left out. */
  stage(changes: EntryChanges): Outcome<StagedEntries> {
    const problem = changesProblem(changes);
    if (problem !== undefined) return problem;
    return this.#stageChecked(changes);
  }

  #stageChecked(changes: EntryChanges): Outcome<StagedEntries> {
    const puts: StagedPut[] = [];
    const removed: Uint8Array[] = [];
    let bytes = this.#bytes;
    const leave = (key: string, held: HeldEntry): void => {
      removed.push(held.hash);
      bytes -= entrySize({ key, value: held.value });
    };
    for (const entry of changes.entries) {
      const { key, value } = entry;
      const held = this.#entries.get(key);
      if (held !== undefined && bytesEqual(held.value, value)) continue;
      if (held !== undefined) leave(key, held);
      puts.push({ key, value: ownBytes(value), hash: entryHash(entry) });
      bytes += entrySize(entry);
    }
    const deletes = changes.tombstones.filter((key) => {
      const held = this.#entries.get(key);
      if (held !== undefined) leave(key, held);
      return held !== undefined;
    });
    const set = this.#set.with({ added: puts.map(({ hash }) => hash), removed });
    if (set.count > ledgerEntriesMax)
      return refused("limit", `entries: ${set.count}, a ledger holds ${ledgerEntriesMax}`);
    if (bytes > ledgerBytesMax)
      return refused("limit", `entries: ${bytes} bytes, a ledger holds ${ledgerBytesMax}`);
    return done({ puts, deletes, set, bytes });
  }

  /**
   * Changes that make the entries exactly these, each of which was checked by itself: for a complete
   * snapshot, and for what was stored.
   */
  stageWhole(entries: readonly Pick<Entry, "key" | "value">[]): Outcome<StagedEntries> {
    const wanted = new Set(entries.map(({ key }) => key));
    if (wanted.size !== entries.length) return namedTwice(entries.map(({ key }) => key));
    const tombstones = [...this.#entries.keys()].filter((key) => !wanted.has(key));
    return this.#stageChecked({ entries, tombstones });
  }

  /** The change to a head that says what was staged; refused when it says something else. */
  changeTo(head: SignedHead, staged: StagedEntries): Outcome<LedgerChange> {
    if (!bytesEqual(head.position.digest, staged.set.digest))
      return refused("invalid", "digest: the entries are not what the head has signed");
    if (head.head.entriesCount !== staged.set.count)
      return refused("invalid", "entries_count: not what the head has signed");
    if (this.#head === undefined) return done({ head, staged, step: undefined, stepsDropped: [] });
    const keys = [...staged.puts.map(({ key }) => key), ...staged.deletes];
    const { step, dropped } = this.#history.next(this.#head.position, keys);
    return done({ head, staged, step, stepsDropped: dropped });
  }

  /** Makes a change that is durable. A beat for the head before says nothing about this one. */
  accept(change: LedgerChange): void {
    for (const put of change.staged.puts) this.#entries.set(put.key, put);
    for (const key of change.staged.deletes) this.#entries.delete(key);
    this.#set = change.staged.set;
    this.#bytes = change.staged.bytes;
    this.#head = change.head;
    if (change.step !== undefined) this.#history.append(change.step);
  }

  /** Takes up what was stored. False when it is not what its head has signed. */
  restore(of: {
    head: SignedHead;
    entries: readonly Pick<Entry, "key" | "value">[];
    steps: readonly HistoryStep[];
  }): boolean {
    const staged = this.stageWhole(of.entries);
    if (!staged.ok) return false;
    const change = this.changeTo(of.head, staged.value);
    if (!change.ok) return false;
    this.accept(change.value);
    this.#history = new History(of.steps);
    return true;
  }
}

function changesProblem(changes: EntryChanges): ReturnType<typeof refused> | undefined {
  const keys = [...changes.entries.map((entry) => entry.key), ...changes.tombstones];
  if (new Set(keys).size !== keys.length) return namedTwice(keys);
  for (const entry of changes.entries) {
    const problem = entryProblem(entry);
    if (problem !== undefined) return { ok: false, refusal: problem };
  }
  for (const key of changes.tombstones) {
    const problem = entryKeyProblem(key);
    if (problem !== undefined) return { ok: false, refusal: problem };
  }
  return undefined;
}

function namedTwice(keys: readonly string[]): ReturnType<typeof refused> {
  const seen = new Set<string>();
  const key = keys.find((one) => seen.size === seen.add(one).size);
  return refused("invalid", `entry key: ${quoted(key ?? "")} is named twice`);
}
