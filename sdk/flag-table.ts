import { BASIS_POINTS_MAX } from "../relay/flag/bucket.ts";
import {
  type Decision,
  decide,
  type EffectiveFlag,
  REASONS,
  type Reason,
} from "../relay/flag/effective-flag.ts";
import { tableFlagsMax } from "./limits.ts";

/** A flag before and after; undefined where there was or is none. */
export interface FlagDifference {
  readonly name: string;
  readonly before: EffectiveFlag | undefined;
  readonly after: EffectiveFlag | undefined;
}

/** A flag as a node sends it, for the app's project and version. */
export interface ReceivedFlag {
  readonly name: string;
  readonly basisPoints?: number | undefined;
  readonly hash: number;
  readonly reason: string;
}

/** All flags of the app's project, as they are for its version. */
export class FlagTable {
  #flags: Map<string, EffectiveFlag> | undefined;
  #position: Uint8Array = new Uint8Array();
  #progress = 0n;
  #revision = 0;

  /** Nothing has ever been held, which is not the same as a project without flags. */
  get isEmpty(): boolean {
    return this.#flags === undefined;
  }

  /** The node's digest of what is held; no bytes where no node has vouched for it. */
  get position(): Uint8Array {
    return this.#position;
  }

  /** How far what is held has come, as the node that sent it says; 0 where nobody has. */
  get progress(): bigint {
    return this.#progress;
  }

  /** Differs whenever an answer may. */
  get revision(): number {
    return this.#revision;
  }

  get flags(): Iterable<EffectiveFlag> {
    return this.#flags?.values() ?? [];
  }

  /** The answer for one instance; `fallback` where nothing is known. */
  decide(name: string, instance: string, fallback: boolean): Decision {
    if (this.#flags === undefined) return { enabled: fallback, reason: "EMPTY" };
    return decide(this.#flags.get(name), instance, fallback);
  }

  /** Takes up a complete table; undefined, and nothing done, when it is past the bound. */
  replace(of: {
    flags: readonly ReceivedFlag[];
    position?: Uint8Array;
    progress?: bigint;
  }): readonly FlagDifference[] | undefined {
    if (of.flags.length > tableFlagsMax) return undefined;
    const before = this.#flags ?? new Map<string, EffectiveFlag>();
    const after = new Map(of.flags.map((flag) => [flag.name, effective(flag)]));
    this.#flags = after;
    this.#position = of.position ?? new Uint8Array();
    this.#progress = of.progress ?? 0n;
    this.#revision++;
    const names = new Set([...before.keys(), ...after.keys()]);
    return differing(
      [...names].map((name) => ({ name, before: before.get(name), after: after.get(name) })),
    );
  }

  /** Takes up what has changed since `previous`; undefined, and nothing done, when it does not fit. */
  change(of: {
    previous: Uint8Array;
    position: Uint8Array;
    flags: readonly ReceivedFlag[];
    removed: readonly string[];
    progress?: bigint;
  }): readonly FlagDifference[] | undefined {
    const flags = this.#flags;
    if (flags === undefined || !this.isAt(of.previous)) return undefined;
    const addedCount = of.flags.filter(({ name }) => !flags.has(name)).length;
    if (flags.size + addedCount > tableFlagsMax) return undefined;
    const values = new Map<string, EffectiveFlag | undefined>([
      ...of.removed.map((name) => [name, undefined] as const),
      ...of.flags.map((flag) => [flag.name, effective(flag)] as const),
    ]);
    const differences = [...values].map(([name, after]) => {
      const before = flags.get(name);
      if (after === undefined) flags.delete(name);
      else flags.set(name, after);
      return { name, before, after };
    });
    this.#position = of.position;
    this.#progress = of.progress ?? 0n;
    this.#revision++;
    return differing(differences);
  }

  /**
   * Takes up how far what is held is still so; false, and nothing done, where something else is held.
   * A node that says less has been waited for, and is taken at its word.
   */
  confirm({ position, progress }: { position: Uint8Array; progress: bigint }): boolean {
    if (!this.isAt(position)) return false;
    // Nodes of before say nothing of it.
    if (progress > 0n) this.#progress = progress;
    return true;
  }

  /** Never true of flags that no node has sent. */
  isAt(position: Uint8Array): boolean {
    const held = this.#position;
    if (held.length === 0 || held.length !== position.length) return false;
    return held.every((byte, at) => byte === position[at]);
  }
}

/** Not all that is sent anew has changed. */
function differing(differences: readonly FlagDifference[]): readonly FlagDifference[] {
  return differences.filter(
    ({ before, after }) =>
      before?.basisPoints !== after?.basisPoints ||
      before?.hash !== after?.hash ||
      before?.reason !== after?.reason,
  );
}

/** Wire messages hold more than is asked for at each decision. */
function effective({ name, basisPoints = 0, hash, reason }: ReceivedFlag): EffectiveFlag {
  return { name, basisPoints, hash, reason: parseReason(reason, basisPoints) };
}

/** A reason that only later nodes know leaves the answer as it is: all instances have to agree. */
function parseReason(text: string, basisPoints: number): Reason {
  const known = REASONS.find((reason) => reason === text);
  if (known !== undefined) return known;
  if (basisPoints === 0) return "OFF";
  return basisPoints >= BASIS_POINTS_MAX ? "FULL" : "ROLLOUT";
}
