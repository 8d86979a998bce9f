import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dayMs } from "../../../relay/cadence.ts";
import { type DocumentKind, slotOf, Windows } from "../../../relay/telemetry/window.ts";
import { epochMs, seedOf } from "../authority.ts";

const windowsOf = (secret: string, upstream = "up", kind: DocumentKind = "WEIGHTS") => {
  const slot = slotOf({ upstream, project: "horizon", kind });
  return new Windows({ siteSecret: seedOf(secret), slot, windowMs: dayMs });
};

describe("a slot", () => {
  const offsetOf = (windows: Windows): number => windows.startMs(0);

  test("is fixed by the site's secret: the same again, and on every node of the site", () => {
    expect(offsetOf(windowsOf("a"))).toBe(offsetOf(windowsOf("a")));
  });

  test("is another for every site, upstream and kind, spread over the window", () => {
    const sites = Array.from({ length: 400 }, (_, n) => offsetOf(windowsOf(`site ${n}`)));
    const all = [...sites, offsetOf(windowsOf("a", "x")), offsetOf(windowsOf("a", "x", "HEALTH"))];
    expect(new Set(all).size).toBe(all.length);
    const hours = sites.map((offset) => Math.floor((24 * offset) / dayMs));
    expect(Math.min(...sites)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...sites)).toBeLessThan(dayMs);
    expect(new Set(hours).size).toBe(24);
  });
});

describe("a document is due", () => {
  const windows = windowsOf("a");
  const first = windows.at(epochMs);

  test("once for a window, when that is over and all of it came after the consent", () => {
    fc.assert(
      fc.property(fc.nat(5 * dayMs), fc.nat(5 * dayMs), (since, later) => {
        const [sinceMs, wallMs] = [epochMs + since, epochMs + since + later];
        const due = windows.due({ wallMs, last: -1, sinceMs });
        if (due === undefined) {
          expect(later).toBeLessThan(2 * dayMs);
          return;
        }
        expect(windows.startMs(due)).toBeGreaterThanOrEqual(sinceMs);
        expect(windows.startMs(due + 1)).toBeLessThanOrEqual(wallMs);
        expect(windows.startMs(due + 2)).toBeGreaterThan(wallMs);
        expect(windows.due({ wallMs, last: due, sinceMs })).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  test("at the window's end, not a millisecond before", () => {
    const sinceMs = windows.startMs(first);
    const endMs = windows.startMs(first + 1);
    expect(windows.due({ wallMs: endMs - 1, last: -1, sinceMs })).toBeUndefined();
    expect(windows.due({ wallMs: endMs, last: -1, sinceMs })).toBe(first);
    expect(windows.due({ wallMs: endMs, last: -1, sinceMs: sinceMs + 1 })).toBeUndefined();
  });

  test("for no window that has passed while the node was away, but the last", () => {
    const wallMs = windows.startMs(first + 10);
    expect(windows.due({ wallMs, last: first, sinceMs: 0 })).toBe(first + 9);
  });

  test("for none that was had when the clock goes back", () => {
    expect(
      windows.due({ wallMs: windows.startMs(first), last: first, sinceMs: 0 }),
    ).toBeUndefined();
  });
});
