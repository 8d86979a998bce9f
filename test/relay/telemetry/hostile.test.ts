import { expect, test } from "vitest";
import { dayMs } from "../../../relay/cadence.ts";
import { shareAtLeast } from "../../../relay/rollout/gate.ts";
import { epochMs } from "../authority.ts";
import { projectOf, weightsDocument } from "./fixture.ts";
import { hostileSite, hostileStringsCount } from "./hostile-strings.ts";
import { Site } from "./site.ts";

const levels = ["EXACT", "ROUNDED", "PANEL", "MODAL"] as const;

test.each(levels)("of 100 000 hostile strings none leaves at %s", (level) => {
  const { instancesCount, documents, leaksCount } = hostileSite({ level, seed: 20_190_328 });
  expect(instancesCount).toBe(hostileStringsCount / 8);
  expect(documents).toHaveLength(2);
  expect(leaksCount).toBe(0);
  const weights = documents.find(({ kind }) => kind === "WEIGHTS")!.weights!;
  expect(weights.releases.map(({ name }) => name)).toEqual(["1.0", "2.0", "other"]);
  expect(weights.releases.at(-1)).toMatchObject({ name: "other", basisPoints: 10_000 });
});

test("a child that is on each release at once moves a gate by its own share", () => {
  const releases = ["1.0", ...Array.from({ length: 200 }, (_, n) => `2.${n}`)];
  const site = new Site({}, new Map(), projectOf({ releases }));
  for (let n = 0; n < 19; n++) site.receive(`child-${n}`, weightsDocument({ "1.0": 10_000 }));
  const all = Object.fromEntries(releases.map((release) => [release, 10_000]));
  site.receive("liar", weightsDocument(all));
  const { weights } = site.telemetry.fleet(site.project, epochMs);
  expect(shareAtLeast(weights, "2.0")).toBeLessThanOrEqual(550);
});

test("a child that names a million words, or lies about all, moves a mean by its own share", () => {
  const site = new Site();
  const window = Math.floor(epochMs / dayMs);
  for (let n = 0; n < 9; n++)
    site.receive(`child-${n}`, weightsDocument({ "1.0": 10_000 }, { window }));
  const honest = site.telemetry.fleet(site.project, epochMs).weights;
  const lie = weightsDocument({ w: 10_000 }, { window });
  const [word] = lie.weights!.releases;
  lie.weights!.releases = Array.from({ length: 1_000_000 }, (_, n) => ({
    ...word!,
    name: `w${n}`,
  }));
  const flood = site.telemetry.received.prepare("liar", lie, epochMs);
  expect(flood).toMatchObject({
    ok: false,
    refusal: { message: "weights.releases: too many words" },
  });
  expect(site.telemetry.fleet(site.project, epochMs).weights).toEqual(honest);
  site.receive("liar", weightsDocument({ "1.0": 0, "2.0": 10_000, other: 10_000 }, { window }));
  const lied = site.telemetry.fleet(site.project, epochMs).weights.releases;
  expect(lied.map(({ basisPoints }) => basisPoints)).toEqual([9000, 500, 500]);
  for (let repeat = 0; repeat < 1000; repeat++)
    expect(
      site.telemetry.received.prepare(
        "liar",
        weightsDocument({ "2.0": 10_000 }, { window }),
        epochMs,
      ),
    ).toEqual({ ok: true, value: "REPEATED" });
});
