import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ReportRequest } from "../../../../gen/headwater/v1/apps_pb.ts";
import { panelOf, seatsCount } from "../../../../relay/telemetry/disclosure/panel.ts";
import { Intake } from "../../../../relay/telemetry/intake/intake.ts";
import { MemberColumns } from "../../../../relay/telemetry/intake/member-columns.ts";
import { type Tally, tallyOf } from "../../../../relay/telemetry/intake/tally.ts";
import { drawFraction } from "../../../../relay/trust/key.ts";
import { epochMs, seedOf } from "../../authority.ts";
import { reportOf } from "../fixture.ts";

const everyMs = 1000;
const secret = seedOf("site");
const rankOf = (instance: string): number => drawFraction(secret, instance);

test("an instance counts once, with what it said last", () => {
  const intake = new Intake(() => 0);
  intake.take(reportOf({ instance: "a", version: "1.0" }), { wallMs: epochMs });
  intake.take(reportOf({ instance: "b" }), { wallMs: epochMs });
  intake.take(reportOf({ instance: "a", version: "2.0" }), { wallMs: epochMs + 1 });
  expect(intake.instancesCount).toBe(2);
  expect(versionsOf(intake.tally(0))).toEqual({ "1.0": 1, "2.0": 1 });
});

test("what was heard before a time is not there for it", () => {
  const intake = new Intake(() => 0);
  intake.take(reportOf({ instance: "a" }), { wallMs: epochMs });
  intake.take(reportOf({ instance: "b", version: "2.0" }), { wallMs: epochMs + 10 });
  expect(versionsOf(intake.tally(epochMs + 10))).toEqual({ "2.0": 1 });
  expect(versionsOf(intake.panel(epochMs + 10))).toEqual({ "2.0": 20 });
});

test("an instance that is silent for two intervals is forgotten, one that speaks is not", () => {
  const intake = new Intake(() => 0);
  for (const instance of ["a", "b", "c"])
    intake.take(reportOf({ instance, version: instance }), { wallMs: epochMs });
  intake.take(reportOf({ instance: "a", version: "a" }), { wallMs: epochMs + everyMs });
  intake.expire(epochMs + 2 * everyMs, everyMs);
  expect(intake.instancesCount).toBe(3);
  intake.expire(epochMs + 2 * everyMs + 1, everyMs);
  expect(versionsOf(intake.tally(0))).toEqual({ a: 1 });
  expect([intake.holds("a"), intake.holds("b")]).toEqual([true, false]);
});

test("a panel is found of many who come and go, those with the lowest ranks first of all", () => {
  const intake = new Intake(rankOf);
  const names = Array.from({ length: 500 }, (_, n) => `instance-${n}`);
  const versionOf = (instance: string): string => `1.${instance.slice(9)}`;
  for (const instance of names)
    intake.take(reportOf({ instance, version: versionOf(instance) }), { wallMs: epochMs });
  const ranked = names.map((instance) => ({ instance, rank: rankOf(instance) }));
  ranked.sort((a, b) => a.rank - b.rank);
  for (let gone = 0; gone < ranked.length; gone += 7) {
    const expected = panelOf(ranked.slice(gone)).map(({ instance }) => versionOf(instance));
    expect(new Set(Object.keys(versionsOf(intake.panel(epochMs))))).toEqual(new Set(expected));
    for (const { instance } of ranked.slice(gone, gone + 7)) intake.forget(instance);
  }
});

test("flags that are none of the project are not kept", () => {
  const intake = new Intake(() => 0);
  const isListed = (flag: string): boolean => flag === "alpha";
  intake.take(reportOf({ instance: "a", on: ["alpha", "mine"] }), { wallMs: epochMs, isListed });
  expect([...intake.tally(0).flags]).toEqual([["alpha", 1]]);
});

describe("whatever comes and goes", () => {
  const instance = fc.integer({ min: 0, max: 90 }).map((n) => `instance-${n}`);
  const report = fc
    .record({
      instance,
      version: fc.constantFrom("1.0", "2.0", "1.0-el9", "dirty"),
      health: fc.constantFrom("OK", "DEGRADED", "FAILED"),
      on: fc.subarray(Array.from({ length: 70 }, (_, n) => `flag-${n}`)),
      off: fc.subarray(["flag-1", "flag-2"]),
    })
    .map((of) => reportOf(of));
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ report, hasCrashed: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ forget: instance }) },
    { weight: 1, arbitrary: fc.record({ waitMs: fc.integer({ min: 1, max: 3 * everyMs }) }) },
  );

  test("the sum is that of the last reports of those that are there", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.nat(4 * everyMs), (steps, agoMs) => {
        const intake = new Intake(rankOf);
        const held = new Map<string, Held>();
        let wallMs = epochMs;
        for (const one of steps) {
          if ("report" in one) {
            intake.take(one.report, { wallMs, hasCrashed: one.hasCrashed });
            held.set(one.report.instance, { ...one, wallMs });
          } else if ("forget" in one) {
            intake.forget(one.forget);
            held.delete(one.forget);
          } else {
            wallMs += one.waitMs;
            intake.expire(wallMs, everyMs);
            for (const [name, { wallMs: heardMs }] of held)
              if (wallMs - heardMs > 2 * everyMs) held.delete(name);
          }
        }
        expect(intake.instancesCount).toBe(held.size);
        for (const sinceMs of [0, wallMs - agoMs]) {
          const all = [...held.values()].filter((one) => one.wallMs >= sinceMs);
          expect(contentsOf(intake.tally(sinceMs))).toEqual(contentsOf(summed(all)));
          expect(contentsOf(intake.panel(sinceMs))).toEqual(contentsOf(summed(seated(all))));
        }
      }),
    );
  });

  test("what was heard before a time is not there for it, whatever the clock did", () => {
    const heard = fc.record({ instance, atMs: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(fc.array(heard)), fc.nat(20), (parts, sinceMs) => {
        const intake = new Intake(rankOf);
        const held = new Map<string, number>();
        for (const part of parts) {
          for (const one of part) {
            intake.take(reportOf(one), { wallMs: one.atMs });
            held.set(one.instance, one.atMs);
          }
          const count = [...held.values()].filter((atMs) => atMs >= sinceMs).length;
          expect(intake.tally(sinceMs).count).toBe(count);
          expect(intake.panel(sinceMs).count).toBe(count === 0 ? 0 : seatsCount);
        }
      }),
    );
  });

  interface Held {
    readonly report: ReportRequest;
    readonly hasCrashed: boolean;
    readonly wallMs: number;
  }

  function seated(all: readonly Held[]): Held[] {
    return panelOf(
      all.map((one) => {
        const { instance } = one.report;
        return { ...one, instance, rank: rankOf(instance) };
      }),
    );
  }

  function summed(all: readonly Held[]): Tally {
    const crashed = new Set(all.filter((one) => one.hasCrashed).map((one) => one.report));
    return tallyOf(
      all.map((one) => one.report),
      (report) => crashed.has(report),
    );
  }
});

describe("where there is no room for one more word", () => {
  const columns = new MemberColumns({ versionsMax: 2, flagsMax: 1 });
  const member = (version: string, flags: string[]): Parameters<typeof columns.put>[1] => ({
    instance: "a",
    version,
    health: 2,
    flags,
    hasCrashed: false,
  });
  columns.grow(8);

  test("a version is the release that it is, or none; a flag is left out", () => {
    const release = (version: string): string => version.replace(/-.*/, "");
    expect(columns.put(0, member("1.0", ["alpha"]), release)).toEqual(member("1.0", ["alpha"]));
    expect(columns.put(1, member("dirty", []), release)).toEqual(member("dirty", []));
    expect(columns.put(2, member("1.0-el9", ["beta"]), release)).toEqual(member("1.0", []));
    expect(columns.put(3, member("2.0", ["alpha"]), release)).toEqual(member("", ["alpha"]));
  });

  test("and room comes back when the last one that used a word has gone", () => {
    columns.clear(1);
    for (const slot of [0, 3]) columns.clear(slot);
    const release = (version: string): string => version;
    expect(columns.put(1, member("3.0", ["beta"]), release)).toEqual(member("3.0", ["beta"]));
    expect(columns.at(2, "a")).toEqual(member("1.0", []));
  });
});

function versionsOf(tally: Tally): Record<string, number> {
  return Object.fromEntries(
    [...tally.versions].map(([version, counts]) => [version, counts.reduce((a, b) => a + b)]),
  );
}

function contentsOf({ count, versions, flags, crashed }: Tally): unknown {
  const sorted = (all: ReadonlyMap<string, unknown>): unknown[] =>
    [...all].sort(([a], [b]) => (a < b ? -1 : 1));
  return { count, all: [versions, flags, crashed].map(sorted) };
}
