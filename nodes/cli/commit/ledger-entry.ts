import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  AliasSchema,
  type Census,
  CensusSchema,
  CrashSchema,
  FeatureSchema,
  type Flag,
  FlagSchema,
  LibrarySchema,
  ReleaseSchema,
  type Rule,
  RuleSchema,
} from "../../../gen/headwater/v1/flag_pb.ts";
import type { Entry } from "../../../gen/headwater/v1/ledger_pb.ts";
import { HASH_VERSION } from "../../../relay/flag/bucket.ts";
import { entryKey, type RuleEffect, ruleName } from "../../../relay/ledger/entry.ts";

/** An entry of a ledger: a key, and the bytes of the message that the key promises. */
export type LedgerEntry = Pick<Entry, "key" | "value">;

/** The lowest reader that understands all that a flag of this version says. */
const flagReader = 1;

/** What people say of a flag; the rest of the message follows from it. */
export type FlagSaying = Pick<Flag, "name" | "note" | "versions"> & {
  readonly basisPoints: number;
  readonly rollout?: readonly { versions: string; basisPoints: number }[];
  /** The releases it is killed for. */
  readonly kill?: string | undefined;
};

export function flagOf(saying: FlagSaying): Flag {
  const { name, note, versions, basisPoints, kill } = saying;
  return create(FlagSchema, {
    name,
    basisPoints,
    rollout: [...(saying.rollout ?? [])],
    versions,
    hash: HASH_VERSION,
    reader: flagReader,
    note,
    ...(kill === undefined ? {} : { kill: { versions: kill } }),
  });
}

/** Fields are written in the order of their numbers, so equal flags are equal bytes. */
export function flagEntry(flag: Flag): LedgerEntry {
  return { key: entryKey("flag", flag.name), value: toBinary(FlagSchema, flag) };
}

export function releaseEntry(name: string): LedgerEntry {
  const value = toBinary(ReleaseSchema, create(ReleaseSchema, { name }));
  return { key: entryKey("release", name), value };
}

export function featureEntry(name: string): LedgerEntry {
  const value = toBinary(FeatureSchema, create(FeatureSchema, { name }));
  return { key: entryKey("feature", name), value };
}

export function crashEntry(signature: string): LedgerEntry {
  const value = toBinary(CrashSchema, create(CrashSchema, { signature }));
  return { key: entryKey("crash", signature), value };
}

export function aliasEntry(of: { name: string; release: string }): LedgerEntry {
  return { key: entryKey("alias", of.name), value: toBinary(AliasSchema, create(AliasSchema, of)) };
}

export function censusEntry(census: Census): LedgerEntry {
  const name = `${census.kind.toLowerCase()}/${census.name}/${census.openedMs}`;
  return { key: entryKey("census", name), value: toBinary(CensusSchema, census) };
}

export function libraryEntry(of: { project: string; authority: Uint8Array }): LedgerEntry {
  const value = toBinary(LibrarySchema, create(LibrarySchema, of));
  return { key: entryKey("library", of.project), value };
}

/** What one rule of an overlay says, about one flag or `*`. */
export interface RuleSaying {
  readonly flag: string;
  readonly effect: Rule["effect"] & { readonly case: RuleEffect };
  readonly note: string;
}

export function ruleKey(effect: RuleEffect, flag: string): string {
  return entryKey("rule", ruleName(effect, flag));
}

export function ruleEntry({ flag, effect, note }: RuleSaying): LedgerEntry {
  const rule = create(RuleSchema, { flag, note });
  rule.effect = effect;
  return { key: ruleKey(effect.case, flag), value: toBinary(RuleSchema, rule) };
}

/** The rule that an entry holds; undefined when this version can not read it. */
export function readRule(value: Uint8Array): Rule | undefined {
  try {
    return fromBinary(RuleSchema, value);
  } catch {
    return undefined;
  }
}

/** The flag that an entry holds; undefined when this version can not read it. */
export function readFlag(value: Uint8Array): Flag | undefined {
  try {
    const flag = fromBinary(FlagSchema, value);
    return flag.hash === HASH_VERSION && flag.reader <= flagReader ? flag : undefined;
  } catch {
    // Not the message that its key promises: the fold holds it off too.
    return undefined;
  }
}

/** The authority of a library; undefined when this version can not read it. */
export function readLibrary(value: Uint8Array): Uint8Array | undefined {
  try {
    return fromBinary(LibrarySchema, value).authority;
  } catch {
    return undefined;
  }
}

/** The release that an alias stands for; undefined when this version can not read it. */
export function readAlias(value: Uint8Array): string | undefined {
  try {
    return fromBinary(AliasSchema, value).release;
  } catch {
    return undefined;
  }
}
