import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CommitRequestSchema } from "../../../gen/headwater/v1/ledgers_pb.ts";
import { Project } from "../../../relay/layers/project.ts";
import { prepareCommit } from "../../../relay/ledger/commit.ts";
import type { Ledger } from "../../../relay/ledger/ledger.ts";
import { toHex } from "../../../relay/trust/key.ts";
import { Authority, type Entries, epochMs, type Power, refusalOf } from "../authority.ts";
import {
  aliasEntry,
  anyFlag,
  anyOwn,
  anyRules,
  flagEntry,
  flagNames,
  releaseEntries,
  releaseNames,
  ruleEntry,
} from "./entries.ts";

const names = ["vendor", "site", "plant"] as const;
const authorities = names.map((name) => new Authority({ name }));
const [vendor, site] = authorities as [Authority, Authority];
const versions = [...releaseNames, "1.0-el9", "2.0-el9", "unpublished"] as const;
const upstream = new Authority();

function grantOf(of: Authority, value: Partial<Extract<Power, { case: "overlay" }>["value"]>) {
  return { case: "overlay", value: { authority: of.id, ...value } } as Power;
}

/** Everything may be pinned and aliased by everybody. */
const lenient = new Authority({
  powers: authorities.map((one) => grantOf(one, { pinBasisPointsMax: 10_000, aliases: true })),
});

const anyAliases: fc.Arbitrary<Entries> = fc
  .array(
    fc.tuple(
      fc.constantFrom("1.0-el9", "2.0-el9", "unpublished"),
      fc.constantFrom(...releaseNames),
    ),
    { maxLength: 3 },
  )
  .map((all) => Object.assign({}, ...all.map(([name, release]) => aliasEntry(name, release))));
const anyLayer = fc
  .tuple(anyRules, anyAliases)
  .map(([rules, aliases]): Entries => ({ ...rules, ...aliases }));
const layers = fc.tuple(anyLayer, anyLayer, anyLayer);

function projectOf(own: Ledger, overlays: readonly Ledger[]): Project {
  return new Project("horizon", own, overlays);
}

function positions(project: Project): string[] {
  return versions.map((version) => toHex(project.table(version, epochMs)!.position));
}

function keysOf(ledger: Ledger): string[] {
  return [...ledger.entries.keys()];
}

describe("layers in any order", () => {
  test("come to the same tables, grants or not, aliases included", () => {
    fc.assert(
      fc.property(anyOwn, layers, fc.constantFrom(upstream, lenient), (own, rules, root) => {
        const ledger = root.ledger(own);
        const overlays = rules.map((entries, i) => authorities[i]!.ledger(entries));
        const project = projectOf(ledger, overlays);
        const reversed = projectOf(ledger, overlays.toReversed());
        expect(positions(reversed)).toEqual(positions(project));
        for (const version of versions)
          expect(reversed.buildOf(version, epochMs)).toEqual(project.buildOf(version, epochMs));
      }),
      { numRuns: 200 },
    );
  });

  test("may also come in any order, or be pinned later", () => {
    fc.assert(
      fc.property(anyOwn, layers, fc.constantFrom(0, 1, 2), (own, rules, turn) => {
        const ledger = lenient.ledger(own);
        const complete = rules.map((entries, i) => authorities[i]!.ledger(entries));
        const late = authorities.map((authority) => authority.emptyLedger());
        const project = projectOf(ledger, late.slice(0, turn));
        for (const version of versions) project.table(version, epochMs);
        project.extend(late.slice(turn).reverse());
        for (const i of [2, 0, 1]) {
          authorities[i]!.commit(late[i]!, { "release/0": new Uint8Array(0), ...rules[i] });
          project.changed(late[i]!, keysOf(late[i]!), epochMs);
        }
        expect(project.isEmpty).toBe(false);
        expect(positions(project)).toEqual(positions(projectOf(ledger, complete)));
      }),
      { numRuns: 200 },
    );
  });
});

describe("without a grant", () => {
  test("no set of overlays turns on an instance that upstream has not, for any build", () => {
    const of = fc.constantFrom(...versions);
    fc.assert(
      fc.property(anyOwn, layers, of, fc.uuid(), (own, rules, version, instance) => {
        const ledger = upstream.ledger(own);
        const overlays = rules.map((entries, i) => authorities[i]!.ledger(entries));
        const alone = projectOf(ledger, []);
        const all = projectOf(ledger, overlays);
        for (const flag of flagNames) {
          const asked = { flag, instance, version, wallMs: epochMs };
          if (all.decide(asked).enabled) expect(alone.decide(asked).enabled).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("pins and aliases are named, and nothing else is affected", () => {
    const own = upstream.ledger({
      ...releaseEntries("2.3.0"),
      ...flagEntry("alpha", { basisPoints: 500 }),
    });
    const entries = {
      ...ruleEntry("alpha", { case: "pin", value: { basisPoints: 9000 } }),
      ...ruleEntry("*", { case: "pin", value: { basisPoints: 1 } }),
      ...ruleEntry("alpha", { case: "cap", value: { basisPoints: 100 } }),
      ...aliasEntry("2.3.0-4.el9", "2.3.0"),
    };
    const overlay = vendor.ledger(entries);
    const project = projectOf(own, [overlay]);
    expect(project.ungranted(overlay, epochMs)).toEqual([
      "rule/pin/alpha",
      "rule/pin/*",
      "alias/2.3.0-4.el9",
    ]);
    expect(project.ungranted(own, epochMs)).toEqual([]);
    const build = project.buildOf("2.3.0", epochMs);
    expect(project.effective("alpha", build, epochMs)).toMatchObject({ basisPoints: 100 });
    expect(project.buildOf("2.3.0-4.el9", epochMs).release).toBe("");
    const granted = new Authority({
      powers: [grantOf(vendor, { flags: ["beta"], pinBasisPointsMax: 1, aliases: true })],
    });
    own.trusted = granted.trusted;
    expect(project.ungranted(overlay, epochMs)).toEqual(["rule/pin/alpha"]);
  });
});

test("a kill of upstream survives every overlay, whatever is granted and in whatever order", () => {
  fc.assert(
    fc.property(anyFlag, layers, fc.uuid(), (flag, rules, instance) => {
      const killed = { ...flag, hash: 2, reader: 0, kill: { versions: "*" } as never };
      const own = { ...releaseEntries(...releaseNames), ...flagEntry("alpha", killed) };
      const overlays = rules.map((entries, i) => authorities[i]!.ledger(entries));
      const project = projectOf(lenient.ledger(own), overlays);
      for (const version of versions) {
        const asked = { flag: "alpha", instance, version, wallMs: epochMs };
        expect(project.decide(asked).enabled).toBe(false);
      }
    }),
    { numRuns: 200 },
  );
});

describe("a granted alias", () => {
  const own = { ...releaseEntries("2.3.0", "2.4.0"), ...aliasEntry("2.4", "2.4.0") };
  const build = (...rules: Entries[]): string[] => {
    const overlays = rules.map((entries, i) => authorities[i]!.ledger(entries));
    return [overlays, overlays.toReversed()].map(
      (ordered) => projectOf(lenient.ledger(own), ordered).buildOf("2.3.0-4.el9", epochMs).release,
    );
  };
  const alias = (release: string) => aliasEntry("2.3.0-4.el9", release);

  test.each([
    ["of a published release", build(alias("2.3.0")), "2.3.0"],
    ["that two agree on", build(alias("2.3.0"), alias("2.3.0")), "2.3.0"],
    ["that two do not agree on", build(alias("2.3.0"), alias("2.4.0")), ""],
    ["that one takes for something unpublished", build(alias("2.3.0"), alias("9.9")), ""],
    [
      "of what only the overlay publishes",
      build({ ...alias("9.9"), ...releaseEntries("9.9") }),
      "",
    ],
    ["of an alias", build(alias("2.4")), ""],
  ])("%s", (_, releases, expected) => {
    expect(releases).toEqual([expected, expected]);
  });

  test("goes behind what the project itself says", () => {
    const overlay = vendor.ledger({
      ...aliasEntry("2.4", "2.3.0"),
      ...aliasEntry("2.4.0", "2.3.0"),
      ...aliasEntry("gone", "2.3.0"),
    });
    const ledger = lenient.ledger({ ...own, ...aliasEntry("gone", "9.9") });
    const project = projectOf(ledger, [overlay]);
    const releases = ["2.4", "2.4.0", "gone"].map(
      (version) => project.buildOf(version, epochMs).release,
    );
    expect(releases).toEqual(["2.4.0", "2.4.0", ""]);
  });
});

describe("a hold", () => {
  test("is a cap that changes nothing now, and that nothing rises above later", () => {
    const higher = fc.integer({ min: 0, max: 10_000 });
    fc.assert(
      fc.property(anyOwn, anyRules, anyRules, higher, (own, theirs, ours, basisPoints) => {
        const root = lenient.ledger(own);
        const before = projectOf(root, [vendor.ledger(theirs), site.ledger(ours)]);
        const hold = before.hold("alpha", epochMs);
        if ("problem" in hold) return;
        const cap = ruleEntry("alpha", { case: "cap", value: hold });
        const held = site.ledger({ ...ours, ...cap });
        const after = projectOf(root, [vendor.ledger(theirs), held]);
        const raised = lenient.ledger({ ...own, ...flagEntry("alpha", { basisPoints }) });
        const later = projectOf(raised, [held]);
        for (const version of versions) {
          const share = (project: Project) =>
            project.effective("alpha", project.buildOf(version, epochMs), epochMs)?.basisPoints;
          expect(share(after)).toBe(share(before));
          expect(share(later)).toBeLessThanOrEqual(hold.basisPoints);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("says why a rollout by versions has none, and holds what is killed for all at nobody", () => {
    const rollout = [{ versions: ">=2", basisPoints: 5000 }] as never;
    const own = upstream.ledger({
      ...flagEntry("alpha", { rollout }),
      ...flagEntry("beta", { basisPoints: 500, kill: { versions: "*" } as never }),
      ...flagEntry("gamma", { basisPoints: 500, versions: ">=1 || =0.5" }),
    });
    const cap = ruleEntry("gamma", { case: "cap", value: { basisPoints: 900, versions: "<3" } });
    const project = projectOf(own, [vendor.ledger(cap)]);
    expect(["alpha", "beta", "gamma", "delta"].map((name) => project.hold(name, epochMs))).toEqual([
      { problem: expect.stringContaining("differs by version") },
      { basisPoints: 0, versions: "" },
      { basisPoints: 500, versions: ">=1 <3 || =0.5 <3" },
      { problem: "there is no such flag" },
    ]);
  });
});

describe("hostile rules", () => {
  const key = fc.oneof(
    fc
      .tuple(fc.constantFrom("cap", "kill", "pin", "", "b"), fc.constantFrom("alpha", "*", "a/b"))
      .map(([effect, flag]) => `rule/${effect}/${flag}`),
    fc.constantFrom("rule/*", "rule/alpha", "alias/2.0-el9", "flag/alpha", "release/9"),
  );
  const noise = fc.array(fc.tuple(key, fc.uint8Array({ maxLength: 60 })), { maxLength: 8 });
  /** Noise, and the bytes of one rule under the key of another. */
  const hostile = fc.tuple(anyRules, noise, key).map(([rules, bytes, other]): Entries => {
    const [first = new Uint8Array(0)] = Object.values(rules);
    return { ...rules, ...Object.fromEntries(bytes), [other]: first };
  });

  test("are held and forwarded as bytes, and fold to nothing or to less", () => {
    fc.assert(
      fc.property(anyOwn, hostile, fc.uuid(), (own, entries, instance) => {
        const root = upstream.ledger(own);
        const alone = projectOf(root, []);
        const overlay = vendor.ledger(entries);
        const project = projectOf(root, [overlay]);
        for (const [name, value] of Object.entries(entries))
          expect(Buffer.from(value!).equals(overlay.entries.get(name)!.value)).toBe(true);
        for (const version of versions)
          for (const flag of flagNames) {
            const asked = { flag, instance, version, wallMs: epochMs };
            if (project.decide(asked).enabled) expect(alone.decide(asked).enabled).toBe(true);
          }
      }),
      { numRuns: 300 },
    );
  });

  test("by the hundred thousand are refused by the bound on a commit", () => {
    const ledger = vendor.ledger();
    const [value] = Object.values(ruleEntry("*", { case: "kill", value: { versions: "*" } }));
    const entries = Array.from({ length: 100_000 }, (_, n) => ({
      key: `rule/kill/flag-${n}`,
      value: value ?? new Uint8Array(0),
    }));
    const request = create(CommitRequestSchema, { entries });
    const { writer } = vendor;
    expect(refusalOf(prepareCommit({ ledger, writer, request, wallMs: epochMs }))).toMatch(
      /^limit: entries: more than 20000 in one commit/,
    );
    expect(ledger.entries.size).toBe(1);
  });
});
