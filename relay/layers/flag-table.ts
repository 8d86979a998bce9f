import type { EffectiveFlag } from "../flag/effective-flag.ts";
import { SetDigest } from "../ledger/digest.ts";
import { sha256 } from "../trust/key.ts";
import { TableHistory } from "./table-history.ts";

/** What changed in the table of one release. Positions are 32 bytes. */
export interface FlagTableChange {
  readonly release: string;
  readonly previous: Uint8Array;
  readonly position: Uint8Array;
  readonly flags: readonly EffectiveFlag[];
  readonly removed: readonly string[];
}

/** The effective flags of a project for one release (empty: unknown builds). */
export class FlagTable {
  readonly release: string;
  readonly #flags = new Map<string, EffectiveFlag>();
  readonly #hashes = new Map<string, Uint8Array>();
  #set = SetDigest.empty;
  /** Without the step that filled it: nobody has seen what was before. */
  #history = new TableHistory();

  constructor(release: string, flags: readonly EffectiveFlag[]) {
    this.release = release;
    this.update(new Map(flags.map((flag) => [flag.name, flag])));
    this.#history = new TableHistory();
  }

  get flags(): ReadonlyMap<string, EffectiveFlag> {
    return this.#flags;
  }

  /** The digest of its contents: equal tables have equal positions, on every node. */
  get position(): Uint8Array {
    return this.#set.digest;
  }

  /** Takes up new values, undefined for a flag that is gone; undefined when nothing differs. */
  update(values: ReadonlyMap<string, EffectiveFlag | undefined>): FlagTableChange | undefined {
    const previous = this.position;
    const flags: EffectiveFlag[] = [];
    const removed: string[] = [];
    const hashes = { added: new Array<Uint8Array>(), removed: new Array<Uint8Array>() };
    for (const [name, flag] of values) {
      if (sameFlag(this.#flags.get(name), flag)) continue;
      const former = this.#hashes.get(name);
      if (former !== undefined) hashes.removed.push(former);
      if (flag === undefined) {
        this.#flags.delete(name);
        this.#hashes.delete(name);
        removed.push(name);
        continue;
      }
      const hash = flagHash(flag);
      this.#flags.set(name, flag);
      this.#hashes.set(name, hash);
      hashes.added.push(hash);
      flags.push(flag);
    }
    if (flags.length + removed.length === 0) return undefined;
    this.#set = this.#set.with(hashes);
    this.#history.append(previous, [...flags.map(({ name }) => name), ...removed]);
    return { release: this.release, previous, position: this.position, flags, removed };
  }

  /**
   * From a remembered position to now, in one step however many there were; undefined when the
   * position is not remembered, or the table itself is smaller.
   */
  changeSince(previous: Uint8Array): FlagTableChange | undefined {
    const names = this.#history.namesSince(previous);
    if (names === undefined || names.size > this.#flags.size) return undefined;
    const flags = [...names].flatMap((name) => this.#flags.get(name) ?? []);
    const removed = [...names].filter((name) => !this.#flags.has(name));
    return { release: this.release, previous, position: this.position, flags, removed };
  }
}

function sameFlag(a: EffectiveFlag | undefined, b: EffectiveFlag | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.basisPoints === b.basisPoints && a.hash === b.hash && a.reason === b.reason;
}

/** No part of the four can hold a line break, so the text is one to one. */
function flagHash(flag: EffectiveFlag): Uint8Array {
  return sha256(Buffer.from(`${flag.name}\n${flag.basisPoints}\n${flag.hash}\n${flag.reason}`));
}
