import { create } from "@bufbuild/protobuf";
import {
  type SyncFlagsResponse,
  SyncFlagsResponseSchema,
} from "../../../gen/flagd/sync/v1/sync_pb.ts";
import {
  type FlagByRelease,
  type FlagScope,
  onlyFor,
} from "../../../relay/flag/flag-by-release.ts";
import { type FlagSet, flagdFlagJson, flagdJson } from "../../../relay/flag/flagd-json.ts";
import { flagChangesKeptMax, flagSetMessagesMax } from "../../../relay/limits.ts";
import type { NodeAccess } from "../../access.ts";
import { checkedJson } from "./flag-set-bound.ts";

/** What became of a flag, in flagd's words. */
type FlagChange = "write" | "update" | "delete";
export type FlagChanges = ReadonlyMap<string, FlagChange>;

/**
 * The flags of one project: held once for all streams that ask for them, and encoded once a change
 * for all that ask for the same version.
 */
export class FlagSetGroup {
  readonly project: string;
  /** To be called after each change. */
  readonly members: Set<() => void> = new Set();
  readonly #access: NodeAccess;
  #set: FlagSet | undefined;
  #flags: ReadonlyMap<string, FlagByRelease> = new Map();
  #revision = 0;
  /** Of the revision of now, by version; empty for that of all versions. */
  readonly #messages = new Map<string, SyncFlagsResponse>();
  /** The last of these is what led to the revision of now. */
  readonly #changes: FlagChanges[] = [];

  constructor(of: { access: NodeAccess; project: string }) {
    this.#access = of.access;
    this.project = of.project;
    this.update();
  }

  /** Rises with every change; 0 while nothing verified is held. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * Takes up what is exposed now; answers whether it is another. A set that is gone leaves the last
   * one: it takes no flag away.
   */
  update(): boolean {
    const set = this.#access.reads.flagSet(this.project, this.#access.now().wallMs);
    if (set === undefined) return false;
    const flags = new Map(set.flags.map((flag) => [flag.name, flag]));
    const changes = changesBetween(this.#flags, flags);
    const known = this.#set;
    const isSame =
      set.sequence === known?.sequence && set.freshness === known.freshness && changes.size === 0;
    if (isSame) return false;
    this.#set = set;
    this.#flags = flags;
    this.#messages.clear();
    this.#changes.push(changes);
    if (this.#changes.length > flagChangesKeptMax) this.#changes.shift();
    this.#revision++;
    return true;
  }

  /**
   * The set as its clients get it; undefined while nothing verified is held. For one instance it is
   * made anew: nobody else asks for it.
   * @throws HeadwaterError `limit` when it is longer than may be sent
   */
  message(scope: FlagScope): SyncFlagsResponse | undefined {
    const set = this.#set;
    if (set === undefined) return undefined;
    const known = scope.instance === "" ? this.#messages.get(scope.version) : undefined;
    if (known !== undefined) return known;
    const message = messageOf(set, scope);
    if (scope.instance === "" && this.#messages.size < flagSetMessagesMax)
      this.#messages.set(scope.version, message);
    return message;
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
}

function messageOf(set: FlagSet, scope: FlagScope): SyncFlagsResponse {
  const flags = set.flags.map((flag) => onlyFor(flag, scope));
  const flagConfiguration = checkedJson(flagdJson({ ...set, flags }));
  return create(SyncFlagsResponseSchema, { flagConfiguration });
}

/** Removed and there again is changed: whoever kept an answer has to ask again. */
function mergedChange(former: FlagChange | undefined, change: FlagChange): FlagChange {
  if (former === undefined || change === "delete") return change;
  return former === "delete" || change === "write" ? "update" : former;
}

function changesBetween(
  before: ReadonlyMap<string, FlagByRelease>,
  after: ReadonlyMap<string, FlagByRelease>,
): FlagChanges {
  const changes = new Map<string, FlagChange>();
  for (const [name, flag] of after) {
    const former = before.get(name);
    if (former === undefined) changes.set(name, "write");
    else if (former !== flag && flagdFlagJson(former) !== flagdFlagJson(flag))
      changes.set(name, "update");
  }
  for (const name of before.keys()) if (!after.has(name)) changes.set(name, "delete");
  return changes;
}
