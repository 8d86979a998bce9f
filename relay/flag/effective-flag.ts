import { HASH_VERSION, isIn } from "./bucket.ts";

/** Why a flag is what it is; apps get these strings. The list is closed. */
export const REASONS = [
  "ROLLOUT",
  "FULL",
  "OFF",
  "KILLED",
  "CAPPED",
  "PINNED",
  "OUT_OF_RANGE",
  "NOT_UNDERSTOOD",
  "UNKNOWN_FLAG",
  "EMPTY",
] as const;

/** One of `REASONS`. */
export type Reason = (typeof REASONS)[number];

/** What all layers together make of a flag, for one project and one release. */
export interface EffectiveFlag {
  readonly name: string;
  /** The share of instances on the new path, an integer from 0 (nobody) to 10000 (everybody). */
  readonly basisPoints: number;
  /** The version of the bucketing rule that the flag was created with. */
  readonly hash: number;
  readonly reason: Reason;
}

/** The answer to one app's question. */
export interface Decision {
  readonly enabled: boolean;
  readonly reason: Reason;
}

/**
 * Whether `instance` takes the flag's path. `fallback` answers only where nothing is known:
 * `effective` undefined (UNKNOWN_FLAG) or with a reason that says so. A bucketing rule that is not
 * ours holds the flag off (NOT_UNDERSTOOD). The reason is the flag's, the same for instances that
 * are in and that are out.
 */
export function decide(
  effective: EffectiveFlag | undefined,
  instance: string,
  fallback: boolean,
): Decision {
  if (effective === undefined) return { enabled: fallback, reason: "UNKNOWN_FLAG" };
  const { name, basisPoints, hash, reason } = effective;
  if (reason === "EMPTY" || reason === "UNKNOWN_FLAG") return { enabled: fallback, reason };
  if (basisPoints <= 0) return { enabled: false, reason };
  if (hash !== HASH_VERSION) return { enabled: false, reason: "NOT_UNDERSTOOD" };
  return { enabled: isIn({ flag: name, instance, basisPoints }), reason };
}
