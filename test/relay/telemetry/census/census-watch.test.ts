import { describe, expect, test } from "vitest";
import { dayMs, reportIntervalMs } from "../../../../relay/cadence.ts";
import { CensusWatch } from "../../../../relay/telemetry/census/census-watch.ts";
import {
  censusGraceMs,
  censusSkewMs,
  windowToAnswer,
} from "../../../../relay/telemetry/census/census-windows.ts";
import { epochMs } from "../../authority.ts";

const windows = { openedMs: epochMs, windowMs: 90 * dayMs };
const lateMs = censusGraceMs + censusSkewMs;
const endMs = epochMs + windows.windowMs;

/** A watch of one instance that reports each hour, from the opening on. */
function watched(
  of: { from?: number; until?: number; used?: readonly number[] } = {},
): CensusWatch {
  const { from = epochMs - dayMs, until = endMs + lateMs, used = [] } = of;
  const watch = new CensusWatch(windows, from);
  let before = from;
  for (let wallMs = from; wallMs <= until; wallMs += reportIntervalMs) {
    const isUsed = used.some((at) => at > before && at <= wallMs);
    watch.hear({ instance: "i", isUsed, isLast: false, isOwn: true, wallMs });
    before = wallMs;
  }
  watch.watch(until);
  return watch;
}

/** Looks every hour, as a node does far more often. */
function watchUntil(watch: CensusWatch, fromMs: number, untilMs: number): void {
  for (let wallMs = fromMs; wallMs < untilMs; wallMs += reportIntervalMs) watch.watch(wallMs);
  watch.watch(untilMs);
}

describe("a deployment says", () => {
  test("unused only of a whole window, once everything about it can have been heard", () => {
    expect(windowToAnswer(windows, endMs + lateMs - 1)).toBe(-1);
    expect(windowToAnswer(windows, endMs + lateMs)).toBe(0);
    expect(watched({ until: endMs + lateMs - 1 }).answer(0)).toBe("UNKNOWN");
    expect(watched().answer(0)).toBe("UNUSED");
    expect(watched().answer(1)).toBe("UNKNOWN");
    expect(watched().answer(-1)).toBe("UNKNOWN");
  });

  test("used of a window at whose very end it was used, though it was heard later", () => {
    expect(watched({ used: [epochMs + 45 * dayMs] }).answer(0)).toBe("USED");
    expect(watched({ used: [endMs - 1] }).answer(0)).toBe("USED");
    expect(watched({ until: endMs + 30 * dayMs, used: [endMs + 9 * dayMs] }).answer(0)).toBe(
      "UNUSED",
    );
  });

  test("unknown of a window in which somebody asked who does not report", () => {
    const watch = watched();
    const asked = epochMs + 45 * dayMs;
    expect(watch.isDoubted(asked)).toBe(false);
    watch.overhear(asked);
    expect(watch.isDoubted(asked)).toBe(true);
    expect(watch.answer(0)).toBe("UNKNOWN");
    expect(watch.isDoubted(endMs + 45 * dayMs)).toBe(false);
  });

  test("unknown of a window in which it did not watch all the time", () => {
    expect(watched({ from: epochMs }).answer(0)).toBe("UNKNOWN");
    const watch = watched({ until: epochMs + 10 * dayMs });
    watch.resume(epochMs + 10 * dayMs + 1);
    watch.hear({
      instance: "i",
      isUsed: false,
      isLast: true,
      isOwn: true,
      wallMs: epochMs + 10 * dayMs + 2,
    });
    watchUntil(watch, epochMs + 10 * dayMs + 2, endMs + lateMs);
    expect(watch.answer(0)).toBe("UNKNOWN");
  });

  test("unknown when an instance went without a word, not when it said goodbye", () => {
    for (const isLast of [true, false]) {
      const watch = new CensusWatch(windows, epochMs - dayMs);
      watchUntil(watch, epochMs - dayMs, epochMs + dayMs);
      watch.hear({ instance: "i", isUsed: false, isLast, isOwn: true, wallMs: epochMs + dayMs });
      watchUntil(watch, epochMs + dayMs, endMs + lateMs);
      expect(watch.answer(0)).toBe(isLast ? "UNUSED" : "UNKNOWN");
    }
  });

  test("unknown when somebody is there who does not report, or its clock was set back", () => {
    const watch = watched({ until: epochMs + 10 * dayMs });
    watch.overhear(epochMs + 10 * dayMs);
    watch.hear({
      instance: "i",
      isUsed: false,
      isLast: true,
      isOwn: true,
      wallMs: epochMs + 10 * dayMs,
    });
    watchUntil(watch, epochMs + 10 * dayMs, endMs + lateMs);
    expect(watch.answer(0)).toBe("UNKNOWN");
    const other = new CensusWatch(windows, epochMs - dayMs);
    watchUntil(other, epochMs - dayMs, epochMs + 10 * dayMs);
    watchUntil(other, epochMs + 10 * dayMs - reportIntervalMs, endMs + lateMs);
    expect(other.answer(0)).toBe("UNKNOWN");
  });
});

test("what two nodes of a site have seen is the union of what each has", () => {
  const away = watched({ until: epochMs + 10 * dayMs });
  const other = watched({ from: epochMs + 9 * dayMs });
  expect(other.answer(0)).toBe("UNKNOWN");
  const union = {
    used: [],
    doubted: [],
    watched: [...away.evidence.watched, ...other.evidence.watched],
    toldMs: endMs + lateMs,
    isLast: false,
  };
  const site = new CensusWatch(windows, endMs + lateMs, union);
  expect(site.answer(0)).toBe("UNUSED");
  const used = new CensusWatch(windows, endMs + lateMs, { ...union, used: [0] });
  expect(used.answer(0)).toBe("USED");
});

test("a clock that was ahead for a while has watched nothing that is to come, and goes on", () => {
  const aheadMs = 4_000 * dayMs;
  const watch = watched({ until: epochMs + 10 * dayMs });
  for (const ms of [0, censusGraceMs, 2 * censusGraceMs])
    watch.watch(epochMs + 10 * dayMs + aheadMs + ms);
  watchUntil(watch, epochMs + 11 * dayMs, endMs + windows.windowMs + lateMs);
  const nowMs = endMs + windows.windowMs + lateMs;
  expect(watch.evidence.watched.filter(({ toMs }) => toMs > nowMs)).toEqual([]);
  expect(watch.answer(0)).toBe("UNKNOWN");
  expect(watch.answer(1)).toBe("UNUSED");
});

test("a machine that slept has not watched", () => {
  const watch = watched({ until: epochMs + 10 * dayMs });
  watch.hear({
    instance: "i",
    isUsed: false,
    isLast: true,
    isOwn: true,
    wallMs: epochMs + 10 * dayMs,
  });
  watchUntil(watch, epochMs + 10 * dayMs + 2 * censusGraceMs, endMs + lateMs);
  expect(watch.answer(0)).toBe("UNKNOWN");
});
