import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { RolloutFactsSchema } from "../../../gen/headwater/v1/rollouts_pb.ts";
import { dayMs } from "../../../relay/cadence.ts";
import { rolloutWindowsMax } from "../../../relay/limits.ts";
import { RolloutWindows, sitesText, someSites } from "../../../relay/rollout/rollout-windows.ts";
import { healthDocument, hourMs } from "../telemetry/fixture.ts";

type Documents = ConstructorParameters<typeof RolloutWindows>[0];

/** As many children as windows, each called by its number. */
function documentsOf(windows: readonly number[]): Documents {
  return windows.map((windowMs, n) => ({
    child: `c${n}`,
    document: { ...healthDocument({}), windowMs },
    atMs: 0,
    windowsOld: 0,
  }));
}

const hourly = (count: number): number[] => Array.from({ length: count }, () => hourMs);

test.each<[string, number[], { windowMs: number; slow?: string; passed?: string }]>([
  ["nobody", [], { windowMs: hourMs }],
  ["shorter ones", [1000, 1000], { windowMs: hourMs }],
  ["one of few", [...hourly(3), dayMs], { windowMs: dayMs, slow: "c3" }],
  [
    "a week",
    [...hourly(3), 7 * dayMs],
    { windowMs: rolloutWindowsMax * hourMs, slow: "c3", passed: "c3" },
  ],
  ["one of 20", [...hourly(19), dayMs], { windowMs: dayMs, slow: "c19" }],
  ["one of 21", [...hourly(20), dayMs], { windowMs: hourMs, passed: "c20" }],
  ["two of 21", [...hourly(19), dayMs, dayMs], { windowMs: dayMs, slow: "c19, c20" }],
  ["many", [dayMs, dayMs, dayMs, dayMs, dayMs], { windowMs: dayMs, slow: "c0, c1, c2 and 2 more" }],
])("windows of %s", (_, said, { windowMs, slow = "", passed = "" }) => {
  const documents = documentsOf(said);
  const windows = new RolloutWindows(documents, hourMs);
  expect(windows.windowMs).toBe(windowMs);
  expect(sitesText(someSites(windows.slow))).toBe(slow);
  expect(sitesText(someSites(windows.passed))).toBe(passed);
  expect(windows.awaited.length + windows.passed.length).toBe(said.length);
});

test("what was written down before sites were named says none", () => {
  expect(sitesText(create(RolloutFactsSchema).slow)).toBe("");
});
