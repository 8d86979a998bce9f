import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TrustSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { flagFor } from "../../../relay/flag/flag-by-release.ts";
import { explain, flagText } from "../../../relay/layers/explanation.ts";
import { FlagTable, type FlagTableChange } from "../../../relay/layers/flag-table.ts";
import { Project } from "../../../relay/layers/project.ts";
import { Watchers } from "../../../relay/layers/watchers.ts";
import type { Ledger } from "../../../relay/ledger/ledger.ts";
import { idleTablesMax } from "../../../relay/limits.ts";
import { toHex } from "../../../relay/trust/key.ts";
import { extendTrust } from "../../../relay/trust/trusted.ts";
import { Authority, type Entries, epochMs, valueOf } from "../authority.ts";
import {
  aliasEntry,
  anyEffect,
  anyFlag,
  flagEntry,
  flagNames,
  releaseEntries,
  releaseNames,
  ruleEntry,
} from "./entries.ts";

const upstream = new Authority();
const vendor = new Authority({ name: "vendor" });
const site = new Authority({ name: "site" });
const versions = [...releaseNames, "2.0-el9", "1.0-el9", "unpublished"];

const entry: fc.Arbitrary<Entries> = fc.oneof(
  fc.tuple(fc.constantFrom(...flagNames), anyFlag).map(([name, flag]) => flagEntry(name, flag)),
  fc.constantFrom(...releaseNames).map((name) => releaseEntries(name)),
  fc
    .tuple(fc.constantFrom("2.0-el9", "1.0-el9", "2.0"), fc.constantFrom(...releaseNames))
    .map(([name, release]) => aliasEntry(name, release)),
  fc.constantFrom<Entries>(flagEntry("a/alpha"), { "flag/b/beta": Buffer.from([255]) }),
  fc.constantFrom<Entries>(flagEntry("*"), { "feature/alpha": Buffer.from([1]) }),
);
const rule: fc.Arbitrary<Entries> = fc
  .tuple(fc.constantFrom(...flagNames, "*", "a/alpha"), anyEffect)
  .map(([flag, effect]) => ruleEntry(flag, effect));

/** One commit to one of the ledgers; some of its entries are deleted instead. */
const step = fc.oneof(
  fc.record({ of: fc.constant(0), entries: commitOf(entry) }),
  fc.record({ of: fc.constantFrom(1, 2), entries: commitOf(rule) }),
);

describe("tables brought forward by changes are those of a node that starts now", () => {
  test("whatever changes: flags, releases, aliases, rules for one and for all", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const { ledgers, project, watched } = watchedProject();
        for (const { of, entries } of steps) {
          const { ledger, authority } = ledgers[of]!;
          const change = authority.commit(ledger, entries);
          if (change === undefined) continue;
          const keys = [...change.staged.puts.map(({ key }) => key), ...change.staged.deletes];
          const { changes, vocabulary } = project.changed(ledger, keys, epochMs);
          for (const one of changes) follow(watched, one);
          expect(vocabulary).toBe(keys.some((key) => /^(release|alias)\//.test(key)));
        }
        const fresh = new Project("horizon", ledgers[0]!.ledger, ledgers.slice(1).map(ledgerOf));
        for (const version of versions) {
          const [table, anew] = [project, fresh].map((one) => one.table(version, epochMs)!);
          expect(textOf(table!)).toBe(textOf(anew!));
          expect(toHex(table!.position)).toBe(toHex(anew!.position));
          const byRelease = project.allByRelease(epochMs)!;
          const flags = byRelease.map((flag) => [flag.name, flagFor(flag, version)] as const);
          expect(new Map(flags)).toEqual(new Map(table!.flags));
          expect(project.buildOf(version, epochMs)).toEqual(fresh.buildOf(version, epochMs));
          const follower = watched.get(table!.release);
          if (follower !== undefined) expect(textOf(follower)).toBe(textOf(anew!));
        }
      }),
      { numRuns: 150 },
    );
  });

  test("also of a release that is taken back, and published again", () => {
    const ledger = upstream.ledger({
      ...releaseEntries("2.0"),
      ...flagEntry("alpha", { basisPoints: 10, versions: ">=2" }),
    });
    const project = new Project("horizon", ledger, []);
    project.table("2.0", epochMs);
    for (const entries of [
      { "release/2.0": undefined },
      flagEntry("alpha", { basisPoints: 20, versions: ">=2" }),
      releaseEntries("2.0"),
    ]) {
      upstream.commit(ledger, entries);
      project.changed(ledger, Object.keys(entries), epochMs);
    }
    expect(project.table("2.0", epochMs)?.flags.get("alpha")?.basisPoints).toBe(20);
  });

  test("and a table says what evaluating one flag says", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), fc.uuid(), (steps, instance) => {
        const { ledgers, project } = watchedProject();
        for (const { of, entries } of steps) {
          const { ledger, authority } = ledgers[of]!;
          const change = authority.commit(ledger, entries);
          const keys = Object.keys(entries);
          if (change !== undefined) project.changed(ledger, keys, epochMs);
        }
        for (const version of versions)
          for (const flag of flagNames) {
            const of = { flag, version, instance, wallMs: epochMs };
            const effective = project.table(version, epochMs)!.flags.get(flag);
            const { decision, ...said } = explain(project, of);
            expect(decision).toMatchObject(project.decide(of));
            expect(said.effective?.basisPoints).toBe(effective?.basisPoints);
            expect(said.effective?.reason).toBe(effective?.reason);
          }
      }),
      { numRuns: 50 },
    );
  });
});

describe("a project that misses a pinned layer", () => {
  test("is EMPTY: nobody drops a vendor's kill by leaving it out (I6)", () => {
    const own = upstream.ledger(flagEntry("alpha", { basisPoints: 10_000 }));
    const missing = vendor.emptyLedger();
    const project = new Project("horizon", own, [missing]);
    const of = { flag: "alpha", instance: "i", version: "1.0", wallMs: epochMs };
    expect([project.isEmpty, project.freshness(epochMs)]).toEqual([true, "EMPTY"]);
    expect(project.table("1.0", epochMs)).toBeUndefined();
    expect(project.decide(of)).toEqual({ enabled: false, reason: "EMPTY" });
    const key = Object.keys(ruleEntry("alpha", kill))[0]!;
    vendor.commit(missing, ruleEntry("alpha", kill));
    project.changed(missing, [key], epochMs);
    expect(project.decide(of)).toEqual({ enabled: false, reason: "KILLED" });
  });
});

describe("grants", () => {
  const overlay = { authority: vendor.id, flags: ["alpha"], pinBasisPointsMax: 500 };
  const expiresMs = epochMs + 60_000;
  const granted = (() => {
    const grants = [
      ...upstream.trust.grants,
      upstream.grant({ case: "overlay", value: overlay }, expiresMs),
    ];
    const trust = create(TrustSchema, { roots: [upstream.root], grants });
    return valueOf(extendTrust({ authority: upstream.id, project: "horizon" }, undefined, trust));
  })();
  const flags = { ...flagEntry("alpha"), ...flagEntry("beta") };
  const pins = (basisPoints: number): Entries => ({
    ...ruleEntry("alpha", { case: "pin", value: { basisPoints } }),
    ...ruleEntry("beta", { case: "pin", value: { basisPoints } }),
  });
  const shown = (project: Project, wallMs: number) =>
    ["alpha", "beta"].map(
      (name) => project.effective(name, project.buildOf("1.0", wallMs), wallMs)?.reason,
    );

  test("let an authority pin what they name, as high as they say, and nobody else", () => {
    const own = upstream.ledger(flags);
    own.trusted = granted;
    const of = (authority: Authority, basisPoints: number) =>
      shown(new Project("horizon", own, [authority.ledger(pins(basisPoints))]), epochMs);
    expect(of(vendor, 500)).toEqual(["PINNED", "OFF"]);
    expect(of(vendor, 501)).toEqual(["OFF", "OFF"]);
    expect(of(site, 500)).toEqual(["OFF", "OFF"]);
  });

  test("that come and end change tables too, at once and without a commit", () => {
    const own = upstream.ledger(flags);
    const project = new Project("horizon", own, [vendor.ledger(pins(300))]);
    const table = project.table("1.0", epochMs)!;
    const alpha = () => table.flags.get("alpha")?.basisPoints;
    expect([alpha(), project.refold(epochMs).changes]).toEqual([0, []]);
    own.trusted = granted;
    expect(project.refold(epochMs).changes).toMatchObject([
      { flags: [{ name: "alpha", basisPoints: 300 }] },
    ]);
    expect([alpha(), project.refold(expiresMs - 1).changes]).toEqual([300, []]);
    expect(project.refold(expiresMs).changes).toHaveLength(1);
    expect([alpha(), project.refold(expiresMs + 1).changes]).toEqual([0, []]);
  });
});

describe("tables that nobody watches", () => {
  const names = Array.from({ length: idleTablesMax + 20 }, (_, n) => `1.${n}`);

  test("are kept to a number, those that are watched are kept", () => {
    const ledger = upstream.ledger(releaseEntries(...names));
    const watchers = new Watchers();
    const project = new Project("horizon", ledger, [], watchers);
    watchers.count("horizon", "1.0", 1);
    for (const name of names) project.table(name, epochMs);
    expect(changedTables(project, ledger)).toEqual(
      new Set(["1.0", ...names.slice(-idleTablesMax)]),
    );
    watchers.count("horizon", "1.0", -1);
    project.table("1.5", epochMs);
    expect(changedTables(project, ledger).has("1.0")).toBe(false);
  });

  test("are not those of a version that has become another release while it was watched", () => {
    const ledger = upstream.ledger(releaseEntries(...names.slice(1)));
    const watchers = new Watchers();
    const project = new Project("horizon", ledger, [], watchers);
    watchers.count("horizon", "1.0", 1);
    project.table("1.0", epochMs);
    upstream.commit(ledger, releaseEntries("1.0"));
    project.changed(ledger, ["release/1.0"], epochMs);
    for (const name of names) project.table(name, epochMs);
    expect(changedTables(project, ledger).has("1.0")).toBe(true);
    watchers.count("horizon", "1.0", -1);
    for (const name of names) project.table(name, epochMs);
    expect(changedTables(project, ledger).has("1.0")).toBe(false);
    expect(changedTables(project, ledger).has("")).toBe(false);
  });

  function changedTables(project: Project, ledger: Ledger): Set<string> {
    const entries = flagEntry("alpha", { basisPoints: ledger.position!.seq });
    upstream.commit(ledger, entries);
    const { changes } = project.changed(ledger, Object.keys(entries), epochMs);
    return new Set(changes.map(({ release }) => release));
  }
});

test("a flag is told in one line: what each layer says, and why", () => {
  const own = upstream.ledger({
    ...flagEntry("alpha", {
      basisPoints: 500,
      versions: ">=2",
      kill: { versions: "=2.1" } as never,
    }),
    ...flagEntry("beta", { hash: 1 }),
  });
  const cap = { case: "cap", value: { basisPoints: 100, versions: "<3" } } as const;
  const overlay = vendor.ledger(ruleEntry("*", cap, "waiting for QA"));
  const project = new Project("horizon", own, [overlay, site.ledger()]);
  expect(flagText(project, { flag: "alpha", wallMs: epochMs })).toBe(
    '5 % for >=2; killed for =2.1; capped to 1 % for <3: "waiting for QA"',
  );
  expect(flagText(project, { flag: "beta", wallMs: epochMs })).toContain(
    "not understood, held off",
  );
  expect(flagText(project, { flag: "gamma", wallMs: epochMs })).toBe("");
});

const kill = { case: "kill", value: { versions: "*" } } as const;

function commitOf(one: fc.Arbitrary<Entries>): fc.Arbitrary<Entries> {
  return fc
    .array(fc.tuple(one, fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 4 })
    .map(
      (all): Entries =>
        Object.fromEntries(
          all.flatMap(([entries, a, b]) =>
            Object.entries(entries).map(([key, value]) => [key, a && b ? undefined : value]),
          ),
        ),
    );
}

function ledgerOf({ ledger }: { ledger: Ledger }): Ledger {
  return ledger;
}

/** A project with two overlays, a table for each version, and followers of those tables. */
function watchedProject() {
  const ledgers = [upstream, vendor, site].map((authority) => ({
    authority: authority as Pick<Authority, "commit">,
    ledger: authority.ledger(),
  }));
  const project = new Project("horizon", ledgers[0]!.ledger, ledgers.slice(1).map(ledgerOf));
  const watched = new Map<string, FlagTable>();
  for (const version of versions) {
    const { release, flags } = project.table(version, epochMs)!;
    watched.set(release, new FlagTable(release, [...flags.values()]));
  }
  return { ledgers, project, watched };
}

/** As an app does it. */
function follow(watched: Map<string, FlagTable>, change: FlagTableChange): void {
  const table = watched.get(change.release);
  if (table === undefined) return;
  expect(toHex(table.position)).toBe(toHex(change.previous));
  table.update(new Map(change.removed.map((name) => [name, undefined])));
  table.update(new Map(change.flags.map((flag) => [flag.name, flag])));
  expect(toHex(table.position)).toBe(toHex(change.position));
}

function textOf(table: FlagTable): string {
  return JSON.stringify([...table.flags].sort(([a], [b]) => (a < b ? -1 : 1)));
}
