import { describe, expect, test } from "vitest";
import { dayMs, minuteMs } from "../../../relay/cadence.ts";
import { crashInstancesMax, unlistedCrashesMax } from "../../../relay/limits.ts";
import { epochMs } from "../authority.ts";
import { projectOf, sharesOf, weightsDocument } from "./fixture.ts";
import { Site, upstream } from "./site.ts";

const known = "00000000deadbeef";
const other = "00000000cafebabe";
const unlisted = "fffffffffffffff0";

function siteOf(): Site {
  return new Site({}, new Map(), projectOf({ crashes: [other, known] }));
}

function crash(site: Site, of: { count: number; as?: string; wallMs?: number }): void {
  const { count, as = known, wallMs = epochMs } = of;
  for (let n = 0; n < count; n++) site.report({ instance: `i-${n}`, crashes: [as] }, wallMs);
}

function sharesAt(site: Site, wallMs: number = epochMs): Record<string, number> {
  return sharesOf(site.telemetry.fleet(site.project, wallMs).weights, "crashes");
}

describe("a crash is a share of instances", () => {
  test("from three distinct ones on", () => {
    const site = siteOf();
    for (let n = 0; n < 10; n++) site.report({ instance: `i-${n}` });
    crash(site, { count: 2 });
    crash(site, { count: 2 });
    expect(sharesAt(site)).toEqual({});
    crash(site, { count: 3 });
    expect(sharesAt(site)).toEqual({ [known]: 3_000 });
  });

  test("for seven days, though the process that started again knows nothing of it", () => {
    const site = siteOf();
    crash(site, { count: 4 });
    const again = (wallMs: number): void => {
      for (let n = 0; n < 4; n++) site.report({ instance: `i-${n}` }, wallMs);
    };
    again(epochMs + minuteMs);
    expect(sharesAt(site, epochMs + minuteMs)).toEqual({ [known]: 10_000 });
    expect(site.keepCrashes(epochMs + 8 * dayMs)).toBe(true);
    again(epochMs + 8 * dayMs);
    expect(sharesAt(site, epochMs + 8 * dayMs)).toEqual({});
  });

  test("after a restart of the node too", () => {
    const site = siteOf();
    crash(site, { count: 4 });
    expect(site.keepCrashes(epochMs)).toBe(true);
    expect(site.keepCrashes(epochMs + minuteMs)).toBe(false);
    const restarted = site.restarted();
    for (let n = 0; n < 8; n++) restarted.report({ instance: `i-${n}` });
    expect(sharesAt(restarted)).toEqual({ [known]: 5_000 });
  });
});

describe("what leaves", () => {
  test.each(["EXACT", "ROUNDED", "PANEL", "MODAL"] as const)("at %s is listed", (level) => {
    const site = siteOf();
    site.choose(level);
    const wallMs = epochMs + 3 * dayMs;
    crash(site, { count: 40, wallMs: wallMs - 1 });
    crash(site, { count: 40, as: unlisted, wallMs: wallMs - 1 });
    const [document] = site.dueOf("WEIGHTS", wallMs);
    expect(document?.weights?.crashes.map(({ name }) => name)).toEqual([other, known]);
    expect(sharesOf(document?.weights, "crashes")).toEqual(
      level === "MODAL" ? {} : { [known]: 10_000 },
    );
  });

  test("is nothing from before the operator's consent", () => {
    const site = siteOf();
    crash(site, { count: 5, wallMs: epochMs - minuteMs });
    site.choose("EXACT");
    for (let n = 0; n < 5; n++) site.report({ instance: `i-${n}` }, epochMs + minuteMs);
    const { sinceMs } = site.telemetry.consents.of(upstream);
    const { weights } = site.telemetry.fleet(site.project, epochMs + minuteMs, { sinceMs });
    expect(sharesOf(weights, "crashes")).toEqual({});
    expect(sharesAt(site, epochMs + minuteMs)).toEqual({ [known]: 10_000 });
  });

  test("of a panel is what three of its instances have had, whatever the site's size", () => {
    const site = siteOf();
    for (let n = 0; n < 2_000; n++)
      site.report({ instance: `i-${n}`, ...(n % 200 === 0 && { crashes: [known] }) });
    const { panelWeights, weights } = site.telemetry.fleet(site.project, epochMs);
    expect(sharesOf(weights, "crashes")).toEqual({ [known]: 50 });
    expect(sharesOf(panelWeights, "crashes")).toEqual({});
  });
});

test("a parent shows the mean of its children", () => {
  const site = siteOf();
  const window = Math.floor(epochMs / dayMs);
  for (const [n, basisPoints] of [2_000, 0, 1_000, 0].entries()) {
    const document = weightsDocument({ "1.0": 10_000 }, { window });
    document.weights!.crashes.push({ ...document.weights!.releases[0]!, name: known, basisPoints });
    site.receive(`child-${n}`, document);
  }
  expect(sharesAt(site)).toEqual({ [known]: 750 });
});

test("the operator of the site sees crashes that are not listed, and as many as there is room for", () => {
  const site = siteOf();
  crash(site, { count: 3, as: unlisted });
  for (let n = 0; n < 2 * unlistedCrashesMax; n++)
    site.report({ instance: "flood", crashes: [`${n}`.padStart(16, "0")] });
  site.report({ instance: "text", crashes: ["a password", "☠", ""] });
  const counts = site.telemetry.crashes.counts("horizon");
  expect(counts[0]).toEqual({ signature: unlisted, instancesCount: 3 });
  expect(counts).toHaveLength(unlistedCrashesMax);
  crash(site, { count: 3 });
  expect(sharesAt(site)[known]).toBeGreaterThan(0);
});

test("one way to crash takes the room of so many instances and no more", () => {
  const site = siteOf();
  crash(site, { count: crashInstancesMax + 10 });
  expect(site.telemetry.crashes.counts("horizon")[0]?.instancesCount).toBe(crashInstancesMax);
});
