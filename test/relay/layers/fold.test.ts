import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isIn } from "../../../relay/flag/bucket.ts";
import { decide, type EffectiveFlag } from "../../../relay/flag/effective-flag.ts";
import { buildOf } from "../../../relay/layers/build.ts";
import { effectiveFlag, type Layers } from "../../../relay/layers/fold.ts";
import { Layer } from "../../../relay/layers/layer.ts";
import { allows, type Build, kills, parseScope } from "../../../relay/layers/scope.ts";
import type { Entries } from "../authority.ts";
import {
  aliasEntry,
  anyOwn,
  anyRules,
  type FlagInit,
  flagEntry,
  flagNames,
  releaseEntries,
  releaseNames,
  ruleEntry,
} from "./entries.ts";

const versions = [...releaseNames, "1.0-el9", "2.0-el9", "unpublished"] as const;
const version = fc.constantFrom(...versions);
const flag = fc.constantFrom(...flagNames);
const overlays = fc.array(anyRules, { maxLength: 4 });

describe("any overlays", () => {
  test("in any order come to the same flag", () => {
    fc.assert(
      fc.property(anyOwn, overlays, fc.nat(), flag, version, (own, rules, turn, name, of) => {
        const rotated = [...rules.slice(turn % 5), ...rules.slice(0, turn % 5)].reverse();
        for (const isGranted of [true, false])
          expect(folded({ own, overlays: rotated, isGranted }, name, of)).toEqual(
            folded({ own, overlays: rules, isGranted }, name, of),
          );
      }),
      { numRuns: 500 },
    );
  });

  test("without a grant turn on nothing that the project's own ledger has not", () => {
    fc.assert(
      fc.property(anyOwn, overlays, flag, version, fc.uuid(), (own, rules, name, of, instance) => {
        const alone = decide(folded({ own, overlays: [] }, name, of), instance, false);
        const all = decide(folded({ own, overlays: rules }, name, of), instance, false);
        if (all.enabled) expect(alone.enabled).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("one more of them never adds an instance, unless it may pin", () => {
    fc.assert(
      fc.property(anyOwn, overlays, anyRules, flag, version, (own, rules, more, name, of) => {
        const before = folded({ own, overlays: rules }, name, of);
        const after = folded({ own, overlays: [...rules, more] }, name, of);
        expect(after?.basisPoints ?? 0).toBeLessThanOrEqual(before?.basisPoints ?? 0);
      }),
      { numRuns: 500 },
    );
  });

  test("leave a flag killed that its project has killed, grants or not", () => {
    fc.assert(
      fc.property(anyOwn, overlays, flag, version, fc.uuid(), (own, rules, name, of, instance) => {
        const killed = { ...own, ...flagEntry(name, { basisPoints: 10_000, kill: every }) };
        const effective = folded({ own: killed, overlays: rules, isGranted: true }, name, of);
        expect(effective).toMatchObject({ basisPoints: 0, reason: "KILLED" });
        expect(decide(effective, instance, true).enabled).toBe(false);
      }),
    );
  });

  test("keep what any one of them has killed, though others pin it", () => {
    fc.assert(
      fc.property(anyOwn, overlays, flag, version, (own, rules, name, of) => {
        const kill = ruleEntry(name, { case: "kill", value: { versions: "*" } });
        const with_ = { own: { ...own, ...flagEntry(name) }, overlays: [...rules, kill] };
        expect(folded({ ...with_, isGranted: true }, name, of)?.reason).toBe("KILLED");
      }),
    );
  });
});

test("raising a percentage only adds instances, whatever the overlays are", () => {
  const points = fc.integer({ min: 0, max: 10_000 });
  fc.assert(
    fc.property(overlays, points, points, version, fc.uuid(), (rules, a, b, of, instance) => {
      const [lower, higher] = a < b ? [a, b] : [b, a];
      const enabled = (basisPoints: number): boolean => {
        const own = { ...releaseEntries(...releaseNames), ...flagEntry("alpha", { basisPoints }) };
        return decide(folded({ own, overlays: rules }, "alpha", of), instance, false).enabled;
      };
      if (enabled(lower)) expect(enabled(higher)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

describe("one flag", () => {
  const at = (init: FlagInit, rules: Entries[] = [], of: string = "2.0", isGranted = false) => {
    const own = {
      ...releaseEntries(...releaseNames),
      ...aliasEntry("2.0-el9", "2.0"),
      ...flagEntry("alpha", init),
    };
    const effective = folded({ own, overlays: rules, isGranted }, "alpha", of);
    return effective && `${effective.basisPoints} ${effective.reason}`;
  };
  const cap = (basisPoints: number, text = ""): Entries =>
    ruleEntry("alpha", { case: "cap", value: { basisPoints, versions: text } });
  const pin = (basisPoints: number): Entries =>
    ruleEntry("alpha", { case: "pin", value: { basisPoints } });

  test.each<[string, string | undefined, string]>([
    ["nobody", at({}), "0 OFF"],
    ["some", at({ basisPoints: 500 }), "500 ROLLOUT"],
    ["all", at({ basisPoints: 10_000 }), "10000 FULL"],
    ["a cap below", at({ basisPoints: 500 }, [cap(100)]), "100 CAPPED"],
    ["a cap at the same", at({ basisPoints: 500 }, [cap(500)]), "500 ROLLOUT"],
    ["a cap above", at({ basisPoints: 500 }, [cap(900)]), "500 ROLLOUT"],
    ["a cap to nothing", at({ basisPoints: 500 }, [cap(0)]), "0 CAPPED"],
    ["the lowest of two caps", at({ basisPoints: 500 }, [cap(300), cap(200)]), "200 CAPPED"],
    ["a cap for these versions", at({ basisPoints: 500 }, [cap(900, ">=2")]), "500 ROLLOUT"],
    ["a cap for other versions", at({ basisPoints: 500 }, [cap(900, "<2")]), "0 OUT_OF_RANGE"],
    ["a pin without a grant", at({ basisPoints: 500 }, [pin(9000)]), "500 ROLLOUT"],
    ["a pin with a grant", at({ basisPoints: 500 }, [pin(9000)], "2.0", true), "9000 PINNED"],
    ["the lowest of two pins", at({}, [pin(900), pin(800)], "2.0", true), "800 PINNED"],
    ["a pin and a cap", at({}, [pin(900), cap(50)], "2.0", true), "50 CAPPED"],
    ["a pin outside the versions", at({ versions: "<2" }, [pin(9)], "2.0", true), "0 OUT_OF_RANGE"],
    ["versions that hold it", at({ basisPoints: 9, versions: ">=2" }), "9 ROLLOUT"],
    ["versions that do not", at({ basisPoints: 9, versions: "<2" }), "0 OUT_OF_RANGE"],
    ["a kill for it", at({ basisPoints: 9, kill: killOf(">=2") }), "0 KILLED"],
    ["a kill for others", at({ basisPoints: 9, kill: killOf("<2") }), "9 ROLLOUT"],
    ["a bucketing rule that is not ours", at({ basisPoints: 9, hash: 1 }), "0 NOT_UNDERSTOOD"],
    ["an alias of a release", at({ basisPoints: 9, versions: "=2.0" }, [], "2.0-el9"), "9 ROLLOUT"],
  ])("with %s", (_, is, expected) => {
    expect(is).toBe(expected);
  });

  test("that the project does not have is none, whatever overlays say of it", () => {
    expect(folded({ own: {}, overlays: [pin(10_000)], isGranted: true }, "alpha", "1.0")).toBe(
      undefined,
    );
  });

  test("follows its rollout: the first match wins, none is nobody", () => {
    const rollout = [
      { versions: ">=2.1", basisPoints: 10_000 },
      { versions: ">=2", basisPoints: 2500 },
      { versions: ">=1.5", basisPoints: 9999 },
    ] as FlagInit["rollout"];
    const of = (release: string) => at({ basisPoints: 77, rollout: rollout! }, [], release);
    expect(["2.1", "2.0", "1.5", "1.0", "nightly", "unpublished"].map(of)).toEqual([
      "10000 FULL",
      "2500 ROLLOUT",
      "9999 ROLLOUT",
      "0 OFF",
      "0 OFF",
      "0 OFF",
    ]);
  });
});

describe("an unknown build fails safe", () => {
  test.each(["unpublished", "", "v2.0", "2.0.0.0.0", "2.0+build"])("%j", (text) => {
    const build = buildOf(layerOf(releaseEntries("2.0")), [], text);
    expect(build).toEqual({ release: "", version: undefined });
    expect([allows("every", build), kills("every", build)]).toEqual([true, true]);
    for (const range of ["<2", ">=2", "=2.0"]) {
      const scope = parseScope(range)!;
      expect([allows(scope, build), kills(scope, build)]).toEqual([false, true]);
    }
  });

  test("and so does a release whose name is no version", () => {
    const build = buildOf(layerOf(releaseEntries("nightly")), [], "nightly");
    expect(build.release).toBe("nightly");
    const scope = parseScope(">=2")!;
    expect([allows(scope, build), kills(scope, build)]).toEqual([false, true]);
  });

  test("nor does an alias of a release that is not published, or of an alias, help", () => {
    const layer = layerOf({
      ...releaseEntries("2.0"),
      ...aliasEntry("a", "2.0"),
      ...aliasEntry("b", "a"),
      ...aliasEntry("c", "3.0"),
    });
    expect(["a", "b", "c"].map((text) => buildOf(layer, [], text).release)).toEqual([
      "2.0",
      "",
      "",
    ]);
  });
});

test("a share of instances is the bucketing rule's, to the instance", () => {
  const own = { ...releaseEntries("1.0"), ...flagEntry("alpha", { basisPoints: 3000 }) };
  const effective = folded({ own, overlays: [] }, "alpha", "1.0");
  for (let n = 0; n < 200; n++) {
    const of = { flag: "alpha", instance: `i-${n}`, basisPoints: 3000 };
    expect(decide(effective, of.instance, false).enabled).toBe(isIn(of));
  }
});

const every = killOf("*");

function killOf(text: string): NonNullable<FlagInit["kill"]> {
  return { $typeName: "headwater.v1.Kill", versions: text };
}

function layerOf(entries: Entries): Layer {
  const layer = new Layer();
  const hash = new Uint8Array(0);
  const held = Object.entries(entries).map(
    ([key, value]) => [key, { value: value ?? hash, hash }] as const,
  );
  layer.update(new Map(held), Object.keys(entries));
  return layer;
}

function folded(
  of: { own: Entries; overlays: readonly Entries[]; isGranted?: boolean },
  name: string,
  text: string,
): EffectiveFlag | undefined {
  const own = layerOf(of.own);
  const build: Build = buildOf(own, [], text);
  const layers: Layers = {
    own,
    overlays: of.overlays.map((entries) => ({
      layer: layerOf(entries),
      mayAlias: of.isGranted === true,
      mayPin: () => of.isGranted === true,
    })),
  };
  return effectiveFlag(layers, name, build);
}
