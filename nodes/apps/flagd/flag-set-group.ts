import { create } from "@bufbuild/protobuf";
import {
  type SyncFlagsResponse,
  SyncFlagsResponseSchema,
} from "../../../gen/flagd/sync/v1/sync_pb.ts";
import { type FlagByRelease, onlyFor } from "../../../relay/flag/flag-by-release.ts";
import { type FlagSet, flagdFlagJson, flagdJson } from "../../../relay/flag/flagd-json.ts";
import { flagChangesKeptMax } from "../../../relay/limits.ts";
import type { NodeAccess } from "../../access.ts";
import { checkedJson } from "./flag-set-bound.ts";

/** What became of a flag, in flagd's words. */
type FlagChange = "write" | "update" | "delete";
export type FlagChanges = ReadonlyMap<string, FlagChange>;

/** A flag as the project has it, and as those see it who are all of one version. */
interface SelectedFlag {
  readonly whole: FlagByRelease;
  readonly selected: FlagByRelease;
}

/**
 * The flags of one project, for one version where the selector names it: held once, and encoded at
 * most once a change, for all streams that ask for them.
 */
export class FlagSetGroup {
  readonly project: string;
  readonly version: string;
  /** Called after each change. */
  readonly members: Set<() => void> = new Set();
  readonly #access: NodeAccess;
  #set: FlagSet | undefined;
  #flags: ReadonlyMap<string, SelectedFlag> = new Map();
  #revision = 0;
  #message: SyncFlagsResponse | undefined;
  /** The last of these is what led to the revision of now. */
  readonly #changes: FlagChanges[] = [];

  constructor(of: { access: NodeAccess; project: string; version: string }) {
    this.#access = of.access;
    this.project = of.project;
    this.version = of.version;
    this.update();
  }

  /** Rises with every change; 0 while nothing verified is held. */
  get revision(): number {
    return this.#revision;
  }

  /** Takes up what is exposed now. A set that is gone leaves the last one: it takes no flag away. */
  update(): void {
    const set = this.#access.reads.flagSet(this.project, this.#access.now().wallMs);
    if (set === undefined) return;
    const before = this.#flags;
    const flags = new Map(set.flags.map((whole) => [whole.name, this.#select(whole)]));
    const changes = changesBetween(before, flags);
    const known = this.#set;
    const isSame =
      set.sequence === known?.sequence && set.freshness === known.freshness && changes.size === 0;
    if (isSame) return;
    this.#set = { ...set, flags: [...flags.values()].map(({ selected }) => selected) };
    this.#flags = flags;
    this.#message = undefined;
    this.#changes.push(changes);
    if (this.#changes.length > flagChangesKeptMax) this.#changes.shift();
    this.#revision++;
    for (const wake of this.members) wake();
  }

  /**
   * The set as its clients get it; undefined while nothing verified is held. For one instance it is
   * made anew: nobody else asks for it.
   * @throws HeadwaterError `limit` when it is longer than may be sent
   */
  message(instance: string = ""): SyncFlagsResponse | undefined {
    const set = this.#set;
    if (set === undefined) return undefined;
    if (instance !== "") {
      const flags = set.flags.map((flag) => onlyFor(flag, { version: "", instance }));
      return messageOf({ ...set, flags });
    }
    this.#message ??= messageOf(set);
    return this.#message;
  }

  /** What has changed after a revision; undefined when that is too long ago to say. */
  changesSince(revision: number): FlagChanges | undefined {
    const missed = this.#revision - revision;
    if (missed > this.#changes.length) return undefined;
    const [first, ...others] = this.#changes.slice(this.#changes.length - missed);
    if (others.length === 0) return first ?? new Map();
    const merged = new Map(first);
    for (const changes of others)
      for (const [name, change] of changes)
        merged.set(name, mergedChange(merged.get(name), change));
    return merged;
  }

  #select(whole: FlagByRelease): SelectedFlag {
    const known = this.#flags.get(whole.name);
    if (known?.whole === whole) return known;
    return { whole, selected: onlyFor(whole, { version: this.version, instance: "" }) };
  }
}

function messageOf(set: FlagSet): SyncFlagsResponse {
  return create(SyncFlagsResponseSchema, { flagConfiguration: checkedJson(flagdJson(set)) });
}

/** Removed and there again is changed: whoever kept an answer has to ask again. */
function mergedChange(former: FlagChange | undefined, change: FlagChange): FlagChange {
  if (former === undefined || change === "delete") return change;
  return former === "delete" || change === "write" ? "update" : former;
}

function changesBetween(
  before: ReadonlyMap<string, SelectedFlag>,
  after: ReadonlyMap<string, SelectedFlag>,
): FlagChanges {
  const changes = new Map<string, FlagChange>();
  for (const [name, { selected }] of after) {
    const former = before.get(name)?.selected;
    if (former === undefined) changes.set(name, "write");
    else if (former !== selected && flagdFlagJson(former) !== flagdFlagJson(selected))
      changes.set(name, "update");
  }
  for (const name of before.keys()) if (!after.has(name)) changes.set(name, "delete");
  return changes;
}
