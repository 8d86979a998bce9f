import { splitEntryKey } from "../../../relay/ledger/entry.ts";
import { bytesEqual } from "../../../relay/trust/key.ts";
import { formatFingerprint } from "../../config/fingerprint.ts";
import { flagDifference, flagSentence, ruleSentence } from "../flag/flag-words.ts";
import { killCovers } from "../flag/kill-range.ts";
import { type LedgerEntry, readAlias, readFlag, readLibrary, readRule } from "./ledger-entry.ts";

/** One entry that is to be another one, to be there, or to be gone. */
export interface Change {
  readonly key: string;
  /** Absent: there is none. */
  readonly before: Uint8Array | undefined;
  /** Absent: there is to be none. */
  readonly after: Uint8Array | undefined;
}

/**
 * What has to change for a ledger to hold the wanted entries; in order of key. Entries of the
 * `pruned` kinds that are not wanted go, all others stay.
 */
export function planChanges(of: {
  held: ReadonlyMap<string, Uint8Array>;
  wanted: readonly LedgerEntry[];
  pruned: ReadonlySet<string>;
}): Change[] {
  const wanted = new Map(of.wanted.map(({ key, value }) => [key, value]));
  const changes: Change[] = [];
  for (const [key, after] of wanted) {
    const before = of.held.get(key);
    if (before === undefined || !bytesEqual(before, after)) changes.push({ key, before, after });
  }
  for (const [key, before] of of.held) {
    const isPruned = of.pruned.has(splitEntryKey(key).kind) && !wanted.has(key);
    if (isPruned) changes.push({ key, before, after: undefined });
  }
  return changes.toSorted((one, other) => (one.key < other.key ? -1 : 1));
}

/**
 * Whether a build that is off for a kill might not be afterwards. A flag that can not be read may
 * be killed, and a flag that is gone is whatever its app has for a default.
 */
export function liftsKill({ key, before, after }: Change): boolean {
  if (splitEntryKey(key).kind !== "flag" || before === undefined) return false;
  const flag = readFlag(before);
  if (flag === undefined) return true;
  if (flag.kill === undefined) return false;
  const kill = after === undefined ? undefined : readFlag(after)?.kill;
  return kill === undefined || !killCovers({ wider: kill.versions, narrower: flag.kill.versions });
}

export type ChangeSign = "+" | "~" | "-";

export function signOf({ before, after }: Change): ChangeSign {
  if (before === undefined) return "+";
  return after === undefined ? "-" : "~";
}

/** `flag new-scheduler: percent 5 % -> 25 %`; without its sign. */
export function changeSentence(change: Change): string {
  const { kind, name } = splitEntryKey(change.key);
  const what = changeWords(kind, change);
  return what === "" ? `${kind} ${name}` : `${kind} ${name}: ${what}`;
}

/** An entry in words; empty for those that are only a name. */
function entryWords(kind: string, value: Uint8Array): string {
  if (kind === "flag") {
    const flag = readFlag(value);
    return flag === undefined ? "not understood" : flagSentence(flag);
  }
  if (kind === "rule") {
    const rule = readRule(value);
    return rule === undefined ? "not understood" : ruleSentence(rule);
  }
  if (kind === "library") {
    const authority = readLibrary(value);
    return authority === undefined ? "not understood" : formatFingerprint(authority);
  }
  return kind === "alias" ? (readAlias(value) ?? "not understood") : "";
}

function changeWords(kind: string, { before, after }: Change): string {
  const was = before === undefined ? undefined : entryWords(kind, before);
  const is = after === undefined ? undefined : entryWords(kind, after);
  if (was === undefined || is === undefined) return is ?? was ?? "";
  const flagBefore = kind === "flag" && before !== undefined ? readFlag(before) : undefined;
  const flagAfter = kind === "flag" && after !== undefined ? readFlag(after) : undefined;
  if (flagBefore !== undefined && flagAfter !== undefined)
    return flagDifference(flagBefore, flagAfter);
  return `${was} -> ${is}`;
}
