import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  AliasSchema,
  CrashSchema,
  FeatureSchema,
  FlagSchema,
  ReleaseSchema,
  RuleSchema,
} from "../../../gen/headwater/v1/flag_pb.ts";
import { ruleName } from "../../../relay/ledger/entry.ts";
import type { Entries } from "../authority.ts";

export type FlagInit = Partial<MessageInitShape<typeof FlagSchema>>;

/** An entry for a flag, as its key and value in an object. */
export function flagEntry(name: string, init: FlagInit = {}): Entries {
  const flag = create(FlagSchema, { name, hash: 2, ...init } as MessageInitShape<
    typeof FlagSchema
  >);
  return { [`flag/${name}`]: toBinary(FlagSchema, flag) };
}

export function releaseEntries(...names: readonly string[]): Entries {
  return Object.fromEntries(
    names.map((name) => [
      `release/${name}`,
      toBinary(ReleaseSchema, create(ReleaseSchema, { name })),
    ]),
  );
}

export function featureEntry(name: string): Entries {
  return { [`feature/${name}`]: toBinary(FeatureSchema, create(FeatureSchema, { name })) };
}

export function crashEntry(signature: string): Entries {
  return { [`crash/${signature}`]: toBinary(CrashSchema, create(CrashSchema, { signature })) };
}

export function aliasEntry(name: string, release: string): Entries {
  return { [`alias/${name}`]: toBinary(AliasSchema, create(AliasSchema, { name, release })) };
}

export type RuleEffect =
  | { readonly case: "cap"; readonly value: { basisPoints: number; versions?: string } }
  | { readonly case: "kill"; readonly value: { versions: string } }
  | { readonly case: "pin"; readonly value: { basisPoints: number } };

export function ruleEntry(flag: string, effect: RuleEffect, note: string = ""): Entries {
  const rule = create(RuleSchema, { flag, effect, note });
  return { [`rule/${ruleName(effect.case, flag)}`]: toBinary(RuleSchema, rule) };
}

const basisPoints = fc.integer({ min: 0, max: 10_000 });
const versions = fc.constantFrom("", "*", "<2.0", ">=1.5", "=1.0 || >=2.1", "not a range");
export const flagNames = ["alpha", "beta", "gamma"] as const;
export const releaseNames = ["1.0", "1.5", "2.0", "2.1", "nightly"] as const;

/** Flags as their own project may have them, some not understood. */
export const anyFlag: fc.Arbitrary<FlagInit> = fc.record(
  {
    basisPoints: fc.oneof(basisPoints, fc.constantFrom(0, 10_000, 10_001)),
    versions,
    kill: versions.map((text) => ({ versions: text })),
    rollout: fc.array(fc.record({ versions, basisPoints }), { maxLength: 3 }),
    hash: fc.constantFrom(2, 2, 2, 1),
    reader: fc.constantFrom(0, 1, 1, 2),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<FlagInit>;

export const anyEffect: fc.Arbitrary<RuleEffect> = fc.oneof(
  fc.record({
    case: fc.constant("cap" as const),
    value: fc.record({ basisPoints, versions }),
  }),
  fc.record({ case: fc.constant("kill" as const), value: fc.record({ versions }) }),
  fc.record({ case: fc.constant("pin" as const), value: fc.record({ basisPoints }) }),
);

/** Rules as an overlay may have them, for one flag or for all. */
export const anyRules: fc.Arbitrary<Entries> = fc
  .array(fc.tuple(fc.constantFrom(...flagNames, "*"), anyEffect), { maxLength: 5 })
  .map((rules) => Object.assign({}, ...rules.map(([flag, effect]) => ruleEntry(flag, effect))));

/** What a project's own ledger may hold. */
export const anyOwn: fc.Arbitrary<Entries> = fc
  .record({
    flags: fc.array(fc.tuple(fc.constantFrom(...flagNames), anyFlag), { maxLength: 3 }),
    releases: fc.subarray([...releaseNames]),
    aliases: fc.array(
      fc.tuple(fc.constantFrom("1.0-el9", "2.0", "2.0-el9"), fc.constantFrom(...releaseNames)),
      { maxLength: 2 },
    ),
  })
  .map(({ flags, releases, aliases }) =>
    Object.assign(
      releaseEntries(...releases),
      ...flags.map(([name, init]) => flagEntry(name, init)),
      ...aliases.map(([name, release]) => aliasEntry(name, release)),
    ),
  );
