import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HASH_VERSION, isIn } from "../../../relay/flag/bucket.ts";
import { decide, type EffectiveFlag, REASONS } from "../../../relay/flag/effective-flag.ts";

const full: EffectiveFlag = {
  name: "new-scheduler",
  basisPoints: 10_000,
  hash: HASH_VERSION,
  reason: "FULL",
};

describe("decide", () => {
  it.each([true, false])("answers the app's default, %s, where nothing is known", (fallback) => {
    expect(decide(undefined, "i-1", fallback)).toEqual({
      enabled: fallback,
      reason: "UNKNOWN_FLAG",
    });
    for (const reason of ["EMPTY", "UNKNOWN_FLAG"] as const) {
      expect(decide({ ...full, reason }, "i-1", fallback)).toEqual({ enabled: fallback, reason });
      expect(decide({ ...full, basisPoints: 0, reason }, "i-1", fallback)).toEqual({
        enabled: fallback,
        reason,
      });
    }
  });

  it.each(["OFF", "KILLED", "CAPPED", "OUT_OF_RANGE", "NOT_UNDERSTOOD"] as const)(
    "is off at 0 whatever the default, because of %s",
    (reason) => {
      expect(decide({ ...full, basisPoints: 0, reason }, "i-1", true)).toEqual({
        enabled: false,
        reason,
      });
    },
  );

  it("holds off what is bucketed by a rule that is not ours", () => {
    const later = { ...full, hash: HASH_VERSION + 1 };
    expect(decide(later, "i-1", true)).toEqual({ enabled: false, reason: "NOT_UNDERSTOOD" });
    expect(decide({ ...later, basisPoints: 0, reason: "KILLED" }, "i-1", true)).toEqual({
      enabled: false,
      reason: "KILLED",
    });
  });

  it("follows the bucketing rule otherwise, with the flag's own reason", () => {
    const reasons = REASONS.filter((reason) => reason !== "EMPTY" && reason !== "UNKNOWN_FLAG");
    fc.assert(
      fc.property(
        fc.uuid(),
        fc.integer({ min: 0, max: 10_000 }),
        fc.constantFrom(...reasons),
        fc.boolean(),
        (instance, basisPoints, reason, fallback) => {
          const enabled = isIn({ flag: full.name, instance, basisPoints });
          expect(decide({ ...full, basisPoints, reason }, instance, fallback)).toEqual({
            enabled,
            reason,
          });
        },
      ),
    );
  });
});
