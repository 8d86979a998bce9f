import {
  AliasSchema,
  CensusSchema,
  CrashSchema,
  FeatureSchema,
  FlagSchema,
  LibrarySchema,
  ReleaseSchema,
  RuleSchema,
} from "../../gen/headwater/v1/flag_pb.ts";
import type { Entry } from "../../gen/headwater/v1/ledger_pb.ts";
import { entryBytesMax, entryKeyLengthMax } from "../limits.ts";
import { quoted } from "../quoted.ts";
import { type Refusal, refused } from "../refusal.ts";
import { sha256 } from "../trust/key.ts";

/** What a key's first part may be, and the message that its value is. */
export const entrySchemas = {
  flag: FlagSchema,
  release: ReleaseSchema,
  feature: FeatureSchema,
  crash: CrashSchema,
  alias: AliasSchema,
  library: LibrarySchema,
  rule: RuleSchema,
  census: CensusSchema,
} as const;

export type EntryKind = keyof typeof entrySchemas;

export function entryKey(kind: EntryKind, name: string): string {
  return `${kind}/${name}`;
}

export function splitEntryKey(key: string): { kind: string; name: string } {
  const slash = key.indexOf("/");
  return { kind: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** What a rule of an overlay may do. */
export const ruleEffects = ["cap", "kill", "pin"] as const;

export type RuleEffect = (typeof ruleEffects)[number];

/** Which rule an entry key names: `rule/cap/new-scheduler`, `rule/kill/*`. */
export function ruleName(effect: RuleEffect, flag: string): string {
  return `${effect}/${flag}`;
}

/** The flag that a rule's name is about, or `*`. */
export function ruleFlag(name: string): string {
  return name.slice(name.indexOf("/") + 1);
}

/**
 * SHA-256 of the key's length (4 bytes, big-endian), the key in UTF-8 and the value: no two
 * entries share one, whatever their bytes.
 */
export function entryHash(entry: { key: string; value: Uint8Array }): Uint8Array {
  const keyBytes = Buffer.byteLength(entry.key);
  const whole = Buffer.allocUnsafe(4 + keyBytes + entry.value.length);
  whole.writeUInt32BE(keyBytes);
  whole.write(entry.key, 4);
  whole.set(entry.value, 4 + keyBytes);
  return sha256(whole);
}

/** Bytes that an entry takes in a ledger, for its bound. */
export function entrySize(entry: { key: string; value: Uint8Array }): number {
  return Buffer.byteLength(entry.key) + entry.value.length;
}

/** Checks form, not meaning: a value that nobody understands is still an entry. */
export function entryProblem(entry: Pick<Entry, "key" | "value">): Refusal | undefined {
  return entryKeyProblem(entry.key) ?? entryValueProblem(entry);
}

export function entryKeyProblem(key: string): Refusal | undefined {
  if (key.length > entryKeyLengthMax)
    return refused("limit", `entry key: longer than ${entryKeyLengthMax} characters`).refusal;
  if (!/^[a-z]+\/[\x21-\x7e]+$/.test(key))
    return refused("invalid", `entry key: ${quoted(key)} is not <kind>/<name>`).refusal;
  return undefined;
}

function entryValueProblem(entry: Pick<Entry, "key" | "value">): Refusal | undefined {
  if (entry.value.length <= entryBytesMax) return undefined;
  return refused("limit", `${entry.key}: ${entry.value.length} bytes, ${entryBytesMax} are allowed`)
    .refusal;
}
