import { BASIS_POINTS_MAX, isIn } from "./bucket.ts";
import type { Reason } from "./effective-flag.ts";
import { type FlagByRelease, flagFor } from "./flag-by-release.ts";
import { fixedVariant, shareOf } from "./flagd-json.ts";

/** What a context says that a flag may depend on. */
export interface FlagdContext {
  /** The bucketing key; empty when there is none. */
  readonly key: string;
  /** Empty when it is not told. */
  readonly version: string;
}

/** The answer to one context, in flagd's words. */
export interface FlagdAnswer {
  readonly value: boolean;
  readonly variant: "on" | "off";
  /** STATIC: the same for every context, so that clients may keep it until the flag changes. */
  readonly reason: "STATIC" | "TARGETING_MATCH";
  /** Our own, finer reason. */
  readonly why: Reason;
}

/**
 * Of an evaluation context: `instance`, else `targetingKey`, is the key, and `version` the release.
 * Like JSONLogic, it takes a number for its digits, and an empty text or 0 for nothing.
 */
export function flagdContext(fields: Readonly<Record<string, unknown>>): FlagdContext {
  const key = textOf(fields["instance"]) || textOf(fields["targetingKey"]);
  const { version } = fields;
  return { key, version: typeof version === "string" ? version : "" };
}

/** What flagd would answer to the flag as `flagdFlag` writes it, without running its rules. */
export function flagdAnswer(of: FlagByRelease, { key, version }: FlagdContext): FlagdAnswer {
  const flag = flagFor(of, version);
  const basisPoints = shareOf(flag);
  const isFull = basisPoints >= BASIS_POINTS_MAX;
  const value = isFull || (key !== "" && isIn({ flag: of.name, instance: key, basisPoints }));
  const reason = fixedVariant(of) === undefined ? "TARGETING_MATCH" : "STATIC";
  return { value, variant: value ? "on" : "off", reason, why: flag.reason };
}

function textOf(field: unknown): string {
  if (typeof field === "string") return field;
  return typeof field === "number" && field !== 0 ? String(field) : "";
}
