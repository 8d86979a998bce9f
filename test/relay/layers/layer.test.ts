import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FlagSchema, RuleSchema } from "../../../gen/headwater/v1/flag_pb.ts";
import { Layer, readerVersion, ruleFor } from "../../../relay/layers/layer.ts";
import { noteLengthMax } from "../../../relay/limits.ts";
import type { Entries } from "../authority.ts";
import {
  aliasEntry,
  anyOwn,
  anyRules,
  type FlagInit,
  featureEntry,
  flagEntry,
  releaseEntries,
  ruleEntry,
} from "./entries.ts";

const empty = new Uint8Array(0);

describe("a flag that is not understood is held off and named", () => {
  test.each<[string, FlagInit]>([
    ["a later reader's", { reader: readerVersion + 1 }],
    ["bucketed by another rule", { hash: 1 }],
    ["bucketed by no rule", { hash: 0 }],
    ["above everybody", { basisPoints: 10_001 }],
    [
      "with a step above everybody",
      { rollout: [{ versions: "*", basisPoints: 10_001 }] } as FlagInit,
    ],
    ["with versions that are no range", { versions: "newest" }],
    ["with a step that has no range", { rollout: [{ versions: "?", basisPoints: 1 }] } as FlagInit],
    ["with a kill that has no range", { kill: { versions: "2.x" } } as FlagInit],
    ["with a note past its bound", { note: "n".repeat(noteLengthMax + 1) }],
    ["under another name", { name: "other" }],
  ])("%s", (_, init) => {
    const layer = layerOf(flagEntry("a", init));
    expect(layer.flags.get("a")).toBe("misunderstood");
    expect([...layer.misunderstood]).toEqual(["flag/a"]);
  });

  test.each([
    ["that is no message", { "flag/a": Buffer.from([0xff]) }],
    ["of a name that is none", flagEntry("a/b", { name: "a/b" })],
  ])("%s", (_, entries) => {
    const layer = layerOf(entries);
    expect([...layer.flags.values()]).toEqual(["misunderstood"]);
    expect([...layer.misunderstood]).toEqual(Object.keys(entries));
  });

  test("until it is understood again, or gone", () => {
    const entries = flagEntry("a", { reader: 9 });
    const layer = layerOf(entries);
    update(layer, flagEntry("a", { reader: readerVersion, basisPoints: 500 }));
    expect(layer.flags.get("a")).toMatchObject({ flag: { basisPoints: 500 } });
    expect(layer.misunderstood.size).toBe(0);
    update(layer, entries);
    update(layer, {}, ["flag/a"]);
    expect([layer.flags.size, layer.misunderstood.size]).toEqual([0, 0]);
  });
});

describe("a rule that is not understood is nothing, and named", () => {
  test.each<[string, Entries]>([
    ["for another flag than its key", moved("rule/cap/b", ruleEntry("a", capped))],
    ["of another effect than its key", moved("rule/kill/a", ruleEntry("a", capped))],
    ["of an effect that nobody knows", moved("rule/boost/a", ruleEntry("a", capped))],
    [
      "without an effect",
      { "rule/cap/a": toBinary(RuleSchema, create(RuleSchema, { flag: "a" })) },
    ],
    ["above everybody", ruleEntry("a", { case: "cap", value: { basisPoints: 10_001 } })],
    ["that pins above everybody", ruleEntry("a", { case: "pin", value: { basisPoints: 10_001 } })],
    ["whose range is none", ruleEntry("a", { case: "kill", value: { versions: "2.x" } })],
    ["whose note is past its bound", ruleEntry("a", capped, "n".repeat(noteLengthMax + 1))],
    ["for what is no flag", ruleEntry("a*", capped)],
  ])("%s", (_, entries) => {
    const layer = layerOf(entries);
    expect([layer.caps.size, layer.kills.size, layer.pins.size]).toEqual([0, 0, 0]);
    expect([...layer.misunderstood]).toEqual(Object.keys(entries));
  });
});

test("words are what their keys say, names, and of a kind that is known", () => {
  const layer = layerOf({
    ...releaseEntries("1.0", "nightly"),
    ...featureEntry("csv-import"),
    ...aliasEntry("1.0-4.el9", "1.0"),
    ...moved("release/2.0", releaseEntries("3.0")),
    ...moved("feature/x", featureEntry("y")),
    ...moved("alias/x", aliasEntry("y", "1.0")),
    ...aliasEntry("z", "no release name"),
    "future/x": empty,
  });
  expect([...layer.releases]).toEqual(["1.0", "nightly"]);
  expect([...layer.features]).toEqual(["csv-import"]);
  expect([...layer.aliases]).toEqual([["1.0-4.el9", "1.0"]]);
  expect([...layer.misunderstood].sort()).toEqual(
    ["alias/x", "alias/z", "feature/x", "future/x", "release/2.0"].sort(),
  );
});

test("within a ledger the rule for one flag goes before the one for all", () => {
  const layer = layerOf({
    ...ruleEntry("*", { case: "cap", value: { basisPoints: 100 } }, "all"),
    ...ruleEntry("a", { case: "cap", value: { basisPoints: 9000 } }, "one"),
  });
  expect(ruleFor(layer.caps, "a")?.note).toBe("one");
  expect(ruleFor(layer.caps, "b")?.note).toBe("all");
  expect(ruleFor(layer.kills, "a")).toBeUndefined();
});

test("changes come to the same layer as reading everything anew", () => {
  const entries = fc.tuple(anyOwn, anyRules).map(([own, rules]) => ({ ...own, ...rules }));
  fc.assert(
    fc.property(entries, entries, (before, after) => {
      const changed = layerOf(before);
      update(changed, after, Object.keys(before));
      expect(contentOf(changed)).toEqual(contentOf(layerOf(after)));
    }),
  );
});

const capped = { case: "cap", value: { basisPoints: 100 } } as const;

function moved(key: string, entries: Entries): Entries {
  return { [key]: Object.values(entries)[0] };
}

function layerOf(entries: Entries): Layer {
  const layer = new Layer();
  update(layer, entries);
  return layer;
}

function update(layer: Layer, entries: Entries, gone: readonly string[] = []): void {
  const held = new Map(
    Object.entries(entries).map(([key, value]) => [key, { value: value ?? empty, hash: empty }]),
  );
  layer.update(held, new Set([...gone, ...held.keys()]));
}

/** Without the order in which it grew. */
function contentOf(layer: Layer) {
  const { flags, releases, aliases, features, caps, kills, pins, misunderstood } = layer;
  const shown = new Map([...flags].map(([name, flag]) => [name, flagOf(flag)]));
  return { flags: shown, releases, aliases, features, caps, kills, pins, misunderstood };
}

function flagOf(flag: unknown): unknown {
  if (typeof flag !== "object" || flag === null || !("flag" in flag)) return flag;
  return { ...flag, flag: Buffer.from(toBinary(FlagSchema, flag.flag as never)).toString("hex") };
}
