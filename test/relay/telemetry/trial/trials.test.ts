import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ReportRequestSchema } from "../../../../gen/headwater/v1/apps_pb.ts";
import { copyWaitMs } from "../../../../relay/cadence.ts";
import type { Effect } from "../../../../relay/effect.ts";
import { copyMark } from "../../../../relay/old-copy.ts";
import type { NodeSettings } from "../../../../relay/settings.ts";
import { verdicts } from "../../../../relay/telemetry/trial/verdict.ts";
import { Authority, epochMs, valueOf } from "../../authority.ts";
import { flagEntry, releaseEntries } from "../../layers/entries.ts";
import { rootNode, type SteppedNode } from "../../stepped-node.ts";
import { hourMs } from "../fixture.ts";
import { Site } from "../site.ts";

interface Told {
  readonly version?: string;
  readonly health?: string;
  readonly flags?: Readonly<Record<string, boolean>>;
  readonly upgrade?: string;
  readonly from?: string;
}

/** A node whose own apps are judged, with two releases and a flag at half. */
class JudgedSite {
  readonly node: SteppedNode;

  constructor(of: Partial<NodeSettings> = {}) {
    this.node = rootNode(of);
    valueOf(
      this.node.commit({
        ...releaseEntries("1.0", "2.0", "3.0"),
        ...flagEntry("wide", { basisPoints: 5000 }),
        ...flagEntry("late", { basisPoints: 10_000, versions: ">=2.0" }),
      }),
    );
  }

  tell(instance: string, told: Told): void {
    const { version = "1.0", health = "OK", flags = {}, upgrade, from = "1.0" } = told;
    const report = create(ReportRequestSchema, {
      project: "horizon",
      instance,
      version,
      health,
      flags: Object.entries(flags).map(([name, active]) => ({ name, active })),
      ...(upgrade !== undefined && { upgrade: { from, outcome: upgrade } }),
    });
    valueOf(this.node.ask((call) => ({ kind: "report", call, report })));
  }

  /** So many instances of a name, of which some are otherwise. */
  tellAll(name: string, count: number, told: Told, others: { count: number; told: Told }): void {
    for (let n = 0; n < count; n++)
      this.tell(`${name}-${n}`, n < others.count ? { ...told, ...others.told } : told);
  }

  verdict(name: string): string {
    const { health } = valueOf(this.node.node.reads.fleet("horizon", this.node.wallMs));
    const release = health?.releases.find((one) => one.release === name);
    const found = release ?? health?.flags.find((one) => one.flag === name);
    return verdicts[found?.judgement ?? 0] ?? "?";
  }
}

const failed = { health: "FAILED" };
const linesOf = (effects: readonly Effect[], event: string): string[] =>
  effects.flatMap((one) =>
    one.kind === "log" && one.entry.event === event ? one.entry.message : [],
  );

describe("a release against the one before it", () => {
  test("is judged at the first look, not before", () => {
    const site = new JudgedSite();
    site.tellAll("old", 100, {}, { count: 0, told: {} });
    site.node.wait(3 * hourMs);
    site.tellAll("old", 100, {}, { count: 0, told: {} });
    site.tellAll("new", 60, { version: "2.0" }, { count: 20, told: failed });
    expect(linesOf(site.node.wait(0.9 * hourMs), "verdict")).toEqual([]);
    expect(site.verdict("2.0")).toBe("INSUFFICIENT");
    expect(linesOf(site.node.wait(0.2 * hourMs), "verdict")).toEqual([
      "horizon: release 2.0 against 1.0 is BAD",
    ]);
    expect(site.verdict("2.0")).toBe("BAD");
    expect(site.verdict("1.0")).toBe("INSUFFICIENT");
  });

  test("counts an instance once, by the worst that it ever said, also over restarts", () => {
    const site = new JudgedSite();
    site.tellAll("old", 100, {}, { count: 0, told: {} });
    site.tellAll("new", 60, { version: "2.0" }, { count: 20, told: failed });
    site.node.wait(61_000);
    site.node.restart();
    for (let times = 0; times < 30; times++)
      site.tellAll("new", 60, { version: "2.0" }, { count: 0, told: {} });
    site.node.wait(hourMs);
    expect(site.verdict("2.0")).toBe("BAD");
    site.node.restart();
    expect(site.verdict("2.0")).toBe("BAD");
  });

  test("which none has any more is judged by what that was at the same age", () => {
    const site = new JudgedSite();
    site.tellAll("old", 100, {}, { count: 1, told: failed });
    site.node.wait(1.1 * hourMs);
    site.node.wait(80 * hourMs);
    site.node.restart();
    site.tellAll("new", 100, { version: "2.0" }, { count: 30, told: failed });
    site.node.wait(1.1 * hourMs);
    expect(site.verdict("2.0")).toBe("BAD");
    site.tellAll("newest", 100, { version: "3.0" }, { count: 30, told: failed });
    site.node.wait(1.1 * hourMs);
    expect(site.verdict("3.0")).toBe("OK");
  });

  test("of which the one before is seen later is compared with that", () => {
    const site = new JudgedSite();
    site.tellAll("new", 60, { version: "3.0" }, { count: 20, told: failed });
    site.tellAll("old", 60, { version: "1.0" }, { count: 20, told: failed });
    site.tellAll("mid", 60, { version: "2.0" }, { count: 0, told: {} });
    const lines = linesOf(site.node.wait(1.1 * hourMs), "verdict");
    expect(lines).toContain("horizon: release 3.0 against 2.0 is BAD");
    expect(lines).toContain("horizon: release 2.0 against 1.0 is OK");
  });

  test("is bad when instances go back from it, though they are well again", () => {
    const site = new JudgedSite();
    site.tellAll("old", 60, {}, { count: 0, told: {} });
    site.tellAll("new", 60, { version: "2.0" }, { count: 0, told: {} });
    site.tellAll("new", 20, { version: "1.0", upgrade: "OK", from: "2.0" }, { count: 0, told: {} });
    site.node.wait(1.1 * hourMs);
    expect([site.verdict("2.0"), site.verdict("1.0")]).toEqual(["BAD", "INSUFFICIENT"]);
  });

  test("is bad when upgrades to it fail, and degraded when instances are", () => {
    const site = new JudgedSite();
    site.tellAll("old", 100, {}, { count: 0, told: {} });
    site.tellAll("new", 60, { version: "2.0" }, { count: 20, told: { upgrade: "FAILED" } });
    site.tellAll("newest", 60, { version: "3.0" }, { count: 60, told: { health: "DEGRADED" } });
    site.node.wait(1.1 * hourMs);
    expect(site.verdict("2.0")).toBe("BAD");
    expect(site.verdict("3.0")).toBe("DEGRADED");
  });

  test("that was never judged for want of instances is tried again", () => {
    const site = new JudgedSite();
    site.tellAll("old", 100, {}, { count: 0, told: {} });
    site.tell("canary", { version: "2.0" });
    site.node.wait(73 * hourMs);
    site.tellAll("new", 60, { version: "2.0" }, { count: 20, told: failed });
    site.tellAll("old", 100, {}, { count: 0, told: {} });
    site.node.wait(1.1 * hourMs);
    expect(site.verdict("2.0")).toBe("BAD");
  });

  test("does not tell a parent what was seen before the operator's consent", () => {
    const site = new Site();
    for (let n = 0; n < 60; n++) {
      site.report({ instance: `old-${n}`, version: "1.0" });
      site.report({ instance: `new-${n}`, version: "2.0", health: "FAILED" });
    }
    site.look(epochMs + hourMs);
    const asked = { project: "horizon", kind: "RELEASE", name: "2.0" } as const;
    expect(site.trials.verdict({ ...asked, sinceMs: epochMs })).toBe("BAD");
    expect(site.trials.verdict({ ...asked, sinceMs: epochMs + 1 })).toBe("INSUFFICIENT");
    expect(site.restarted().trials.verdict({ ...asked, sinceMs: 0 })).toBe("BAD");
  });
});

describe("a flag on against off", () => {
  const on = { flags: { wide: true } };
  const off = { flags: { wide: false } };

  test("is judged among builds that draw lots", () => {
    const site = new JudgedSite();
    site.tellAll("on", 60, on, { count: 20, told: failed });
    site.tellAll("off", 60, off, { count: 0, told: {} });
    site.tellAll("unknown", 60, { ...on, version: "nightly" }, { count: 60, told: failed });
    site.tellAll(
      "late",
      60,
      { version: "2.0", flags: { late: true } },
      { count: 60, told: failed },
    );
    site.tellAll("early", 60, { version: "1.0", flags: { late: false } }, { count: 0, told: {} });
    site.node.wait(1.1 * hourMs);
    expect(site.verdict("wide")).toBe("BAD");
    expect(site.verdict("late")).toBe("INSUFFICIENT");
  });

  test("is judged anew at another share; until somebody takes the path the last verdict stays", () => {
    const site = new JudgedSite();
    site.tellAll("on", 60, on, { count: 20, told: failed });
    site.tellAll("off", 60, off, { count: 0, told: {} });
    site.node.wait(1.1 * hourMs);
    valueOf(site.node.commit(flagEntry("wide", { basisPoints: 0 })));
    site.tellAll("on", 60, on, { count: 0, told: {} });
    expect(site.verdict("wide")).toBe("BAD");
    valueOf(site.node.commit(flagEntry("wide", { basisPoints: 6000, note: "mended" })));
    site.tellAll("on", 60, on, { count: 0, told: {} });
    expect(site.verdict("wide")).toBe("INSUFFICIENT");
    site.tellAll("off", 60, off, { count: 0, told: {} });
    valueOf(site.node.commit(flagEntry("wide", { basisPoints: 6000, note: "only a word" })));
    site.tellAll("on", 60, on, { count: 0, told: {} });
    site.node.wait(1.1 * hourMs);
    expect(site.verdict("wide")).toBe("OK");
  });

  test("that is gone from the ledger is forgotten", () => {
    const site = new JudgedSite();
    site.tellAll("on", 1, on, { count: 0, told: {} });
    site.node.wait(61_000);
    expect(site.node.storedKeys("trial")).toEqual(["horizon RELEASE 1.0", "horizon FLAG wide"]);
    valueOf(site.node.commit({ "flag/wide": undefined }));
    site.node.wait(61_000);
    expect(site.node.storedKeys("trial")).toEqual(["horizon RELEASE 1.0"]);
  });
});

describe("with HEADWATER_ON_BAD=kill", () => {
  function bad(site: JudgedSite): void {
    site.tellAll("on", 60, { flags: { wide: true } }, { count: 20, told: failed });
    site.tellAll("off", 60, { flags: { wide: false } }, { count: 0, told: {} });
  }

  test("a bad flag is off in this site's own overlay, at once and after a restart", () => {
    const site = new JudgedSite({ onBad: "KILL" });
    addOverlay(site.node);
    bad(site);
    const lines = linesOf(site.node.wait(1.1 * hourMs), "killed");
    expect(lines).toEqual(["horizon: wide, in this site's own overlay"]);
    expect(site.node.flags()).toMatchObject({ wide: 0 });
    site.node.restart();
    expect(site.node.flags()).toMatchObject({ wide: 0 });
    expect(site.verdict("wide")).toBe("BAD");
    expect(linesOf(site.node.wait(hourMs), "killed")).toEqual([]);
  });

  test("of a bad release the paths are off that the one before did not take", () => {
    const site = new JudgedSite({ onBad: "KILL" });
    addOverlay(site.node);
    site.tellAll("old", 100, {}, { count: 0, told: {} });
    site.tellAll("new", 60, { version: "2.0" }, { count: 20, told: failed });
    const lines = linesOf(site.node.wait(1.1 * hourMs), "killed");
    expect(lines).toEqual(["horizon: late, in this site's own overlay"]);
    const of = { project: "horizon", instance: "i", flag: "late" };
    const reason = (version: string): string =>
      site.node.node.reads.evaluate({ ...of, version }, site.node.wallMs).reason;
    expect([reason("2.0"), reason("3.0")]).toEqual(["KILLED", "FULL"]);
  });

  test("without an overlay it says what is missing, before and when it is needed", () => {
    const site = new JudgedSite({ onBad: "KILL" });
    const missing = expect.stringContaining("headwater init horizon --overlay");
    expect(site.node.node.reads.status(site.node).problems).toContainEqual(missing);
    bad(site);
    expect(linesOf(site.node.wait(1.1 * hourMs), "kill-failed")).toEqual([missing]);
    expect(site.node.flags()).toMatchObject({ wide: 5000 });
  });

  test("a node on a copy of its data kills once it signs again", () => {
    const site = new JudgedSite({ onBad: "KILL" });
    addOverlay(site.node);
    bad(site);
    site.node.wait(0.99 * hourMs);
    const { bucket, key } = copyMark;
    const value = new TextEncoder().encode("2026-01-01");
    site.node.stored.set(`${bucket} ${key}`, { bucket, key, value });
    site.node.restart();
    const waiting = site.node.wait(copyWaitMs / 2);
    expect(linesOf(waiting, "kill-failed")).toEqual([]);
    expect(site.verdict("wide")).toBe("BAD");
    const lines = [site.node.wait(copyWaitMs), site.node.wait(1_000)].flat();
    expect(linesOf(lines, "killed")).toHaveLength(1);
    expect(site.node.flags()).toMatchObject({ wide: 0 });
  });

  test("a kill that could not be written is written when there is room again", () => {
    const site = new JudgedSite({ onBad: "KILL" });
    addOverlay(site.node);
    bad(site);
    site.node.disk = "full";
    expect(linesOf(site.node.wait(1.1 * hourMs), "killed")).toEqual([]);
    expect(site.node.flags()).toMatchObject({ wide: 5000 });
    site.node.disk = "good";
    expect(linesOf(site.node.wait(1000), "killed")).toHaveLength(1);
    expect(site.node.flags()).toMatchObject({ wide: 0 });
  });
});

function addOverlay(node: SteppedNode): void {
  const authority = new Authority({ project: "horizon", name: "overlay" });
  const { ledgerKey, beatKey } = authority.writer;
  const of = { project: "horizon", overlay: true };
  const seeds = { ledgerSeed: ledgerKey.seed, beatSeed: beatKey.seed };
  valueOf(node.ask((call) => ({ kind: "prepare-ledger", call, ...of, ...seeds })));
  const { trust } = authority;
  valueOf(node.ask((call) => ({ kind: "create-ledger", call, ...of, trust })));
}
