import type { EvaluationContext } from "@openfeature/core";
import { FlagdCore } from "@openfeature/flagd-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bucketOf, isIn } from "../../../relay/flag/bucket.ts";
import { decide, type EffectiveFlag } from "../../../relay/flag/effective-flag.ts";
import { type FlagByRelease, flagFor, onlyFor } from "../../../relay/flag/flag-by-release.ts";
import { flagdAnswer, flagdContext } from "../../../relay/flag/flagd-answer.ts";
import { type FlagSet, flagdFlag, flagdJson } from "../../../relay/flag/flagd-json.ts";

const silent = { error: ignore, warn: ignore, info: ignore, debug: ignore };
const context = { instance: "i-1", targetingKey: "user-1", version: "2.3.0" };

function ignore(): void {}

function effective(basisPoints: number, name = "path"): EffectiveFlag {
  const reason = basisPoints === 0 ? "OFF" : basisPoints === 10_000 ? "FULL" : "ROLLOUT";
  return { name, basisPoints, hash: 2, reason };
}

function flagOf(
  unknown: number,
  releases: Readonly<Record<string, number>> = {},
  name = "path",
): FlagByRelease {
  return {
    name,
    unknown: effective(unknown, name),
    releases: Object.entries(releases).map(([version, basisPoints]) => ({
      flag: effective(basisPoints, name),
      versions: new Set([version, `${version}-el9`]),
    })),
  };
}

function setOf(...flags: FlagByRelease[]): FlagSet {
  return { project: "horizon", sequence: 7, freshness: "FRESH", flags };
}

/** What flagd's own core for JavaScript makes of a set, as its in-process clients run it. */
function coreOf(set: FlagSet): FlagdCore {
  const core = new FlagdCore(undefined, silent);
  core.setConfigurations(flagdJson(set));
  return core;
}

describe("a flag of flagd", () => {
  test.each([
    [flagOf(0), "off"],
    [flagOf(10_000), "on"],
    [flagOf(10_000, { "2.3.0": 10_000 }), "on"],
    [{ ...flagOf(0), unknown: { ...effective(0), reason: "KILLED" } as const }, "off"],
    [{ ...flagOf(0), unknown: { ...effective(5_000), hash: 3 } }, "off"],
  ] as const)("without a rule is the same for everybody", (flag, defaultVariant) => {
    expect(flagdFlag(flag)).toEqual({
      state: "ENABLED",
      variants: { on: true, off: false },
      defaultVariant,
    });
  });

  test("of a percentage is a fractional of two, on first, with a key that is never null", () => {
    const by = (field: string) => ({
      fractional: [
        { cat: [{ var: "$flagd.flagKey" }, { var: field }] },
        ["on", 525],
        ["off", 9_475],
      ],
    });
    expect(flagdFlag(flagOf(525))).toEqual({
      state: "ENABLED",
      variants: { on: true, off: false },
      defaultVariant: "off",
      targeting: {
        if: [
          {
            "!=": [
              { fractional: [{ cat: ["hash-2"] }, ["other", 24], ["ours", 1], ["other", 75]] },
              "ours",
            ],
          },
          "off",
          { var: "instance" },
          by("instance"),
          { var: "targetingKey" },
          by("targetingKey"),
          "off",
        ],
      },
    });
  });

  test("asks clients for a bucket that only the second version of fractional gives", () => {
    const instance = "hash-2";
    const second = bucketOf({ flag: "", instance });
    // The first took the hash for signed; the third hashes CBOR, which begins with the length.
    const first = (Math.abs(second | 0) / 0x7fff_ffff) * 100;
    const third = bucketOf({ flag: String.fromCharCode(0x60 + instance.length), instance });
    const buckets = [first, (second * 100) / 2 ** 32, (third * 100) / 2 ** 32];
    expect(buckets.map(Math.floor)).toEqual([48, 24, 32]);
  });

  test("of one instance has nothing left to bucket", () => {
    const only = (instance: string) =>
      flagdFlag(onlyFor(flagOf(5_000, { "2.3.0": 10_000 }), { version: "", instance }));
    const [inside, isOut] = ["i-2", "i-1"].map(only);
    expect(inside).toMatchObject({ defaultVariant: "on" });
    expect(isOut?.targeting).toEqual({
      if: [{ in: [{ var: "version" }, ["2.3.0", "2.3.0-el9"]] }, "on", "off"],
    });
  });

  test("of a range lists the releases that differ, by their share", () => {
    const flag = flagOf(0, { "2.3.0": 10_000, "2.4.0": 10_000, "2.2.0": 0 });
    const versions = ["2.3.0", "2.3.0-el9", "2.4.0", "2.4.0-el9"];
    expect(flagdFlag(flag).targeting).toEqual({
      if: [{ in: [{ var: "version" }, versions] }, "on", "off"],
    });
    expect(flagdFlag(onlyFor(flag, { version: "2.4.0", instance: "" }))).toMatchObject({
      defaultVariant: "on",
    });
    expect(flagdFlag(onlyFor(flag, { version: "9.9.9", instance: "" }))).toMatchObject({
      defaultVariant: "off",
    });
  });

  test("carries project, sequence and freshness, as every answer from it does", () => {
    const metadata = {
      flagSetId: "horizon",
      project: "horizon",
      sequence: 7,
      freshness: "FRESH",
    };
    const core = coreOf(setOf(flagOf(10_000)));
    expect(core.getFlagSetMetadata()).toEqual(metadata);
    const answer = core.resolveBooleanEvaluation("path", false, context);
    expect(answer).toMatchObject({ value: true, reason: "STATIC", flagMetadata: metadata });
  });

  test("is valid by the published schema", () => {
    const problems: string[] = [];
    const core = new FlagdCore(undefined, {
      ...silent,
      debug: (text: string) => problems.push(text),
    });
    core.setConfigurations(flagdJson(setOf(flagOf(525, { "2.3.0": 10_000, "2.4.0": 1 }))));
    expect(problems).toEqual([]);
  });
});

describe("an answer", () => {
  const share = fc.oneof(fc.integer({ min: 0, max: 10_000 }), fc.constantFrom(0, 10_000));
  const version = fc.constantFrom("2.2.0", "2.3.0", "2.3.0-el9", "2.4.0", "nightly", "");
  const flag = fc
    .tuple(share, fc.dictionary(fc.constantFrom("2.2.0", "2.3.0", "2.4.0"), share))
    .map(([unknown, releases]) => flagOf(unknown, releases));
  const ascii = fc.string({ unit: "binary-ascii" as const }).filter((text) => text !== "");
  const key = fc.oneof(fc.uuid(), ascii);

  test("is flagd's, by its published core, for every context", () => {
    const contexts = fc.record(
      {
        instance: fc.oneof(key, fc.constant("")),
        targetingKey: fc.oneof(key, fc.constant("")),
        version,
        user: fc.object(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(flag, contexts, (of, fields) => {
        const { value, variant, reason } = flagdAnswer(of, flagdContext(fields));
        const core = coreOf(setOf(of)).resolveBooleanEvaluation(
          "path",
          !value,
          fields as EvaluationContext,
        );
        expect(core).toMatchObject({ value, variant, reason });
      }),
      { numRuns: 300 },
    );
  });

  test("is that of Evaluate and of the SDK's table", () => {
    fc.assert(
      fc.property(flag, key, version, (of, instance, app) => {
        const answer = flagdAnswer(of, flagdContext({ targetingKey: instance, version: app }));
        const { enabled, reason } = decide(flagFor(of, app), instance, false);
        expect([answer.value, answer.why]).toEqual([enabled, reason]);
      }),
    );
  });

  test("of a client whose ids are not ASCII is not flagd's for JavaScript, which hashes UTF-16", () => {
    const ids = Array.from({ length: 200 }, (_, index) => `gerät-${index}`);
    const core = coreOf(setOf(flagOf(5_000)));
    const differing = ids.filter((targetingKey) => {
      const { value } = core.resolveBooleanEvaluation("path", false, { targetingKey });
      return value !== flagdAnswer(flagOf(5_000), flagdContext({ targetingKey })).value;
    });
    // When this fails, the published core has been mended, and the limit can be taken out of the docs.
    expect(differing.length).toBeGreaterThan(0);
    for (const instance of ids.slice(0, 20)) {
      const only = coreOf(setOf(onlyFor(flagOf(5_000), { version: "", instance })));
      expect(only.resolveBooleanEvaluation("path", false, {}).value).toBe(
        isIn({ flag: "path", instance, basisPoints: 5_000 }),
      );
    }
  });

  test("without a key is off, unless everybody is on", () => {
    const keyless = [{}, { targetingKey: null }, { targetingKey: "" }, { instance: ["i-1"] }];
    for (const fields of keyless) {
      expect(flagdAnswer(flagOf(9_999), flagdContext(fields)).value).toBe(false);
      expect(flagdAnswer(flagOf(10_000), flagdContext(fields)).value).toBe(true);
    }
    const core = coreOf(setOf(flagOf(9_999)));
    expect(core.resolveBooleanEvaluation("path", true, {})).toMatchObject({
      value: false,
      reason: "TARGETING_MATCH",
    });
  });

  test("takes a number for its digits, as JSONLogic does", () => {
    expect(flagdContext({ instance: 12, targetingKey: "user" })).toEqual({
      key: "12",
      version: "",
    });
    expect(flagdContext({ instance: 0, targetingKey: "user" }).key).toBe("user");
    expect(flagdContext({ version: 2.3 }).version).toBe("");
  });
});
