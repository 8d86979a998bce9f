import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type ReportRequest, ReportRequestSchema } from "../../../gen/headwater/v1/apps_pb.ts";
import { DocumentSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs } from "../../../relay/cadence.ts";
import { epochMs } from "../authority.ts";
import { weightsDocument } from "./fixture.ts";
import { Site } from "./site.ts";

const levels = ["EXACT", "ROUNDED", "PANEL", "MODAL"] as const;

/** What is in every hostile string, and in no word of the project. */
const marker = "☠zq";

/** 8 in each report. */
const reportsCount = 12_500;

const hostile: fc.Arbitrary<string> = fc
  .tuple(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.string({ maxLength: 90 }),
      fc.constantFrom("", "1.0", "2.0", "other", "alpha", "__proto__", "constructor", "\0", "../"),
    ),
    fc.boolean(),
  )
  .map(([text, before]) => (before ? marker + text : text + marker));

const strings = fc.sample(hostile, { numRuns: 8 * reportsCount, seed: 20_190_328 });

test.each(levels)("of 100 000 hostile strings none leaves at %s", (level) => {
  const site = new Site();
  site.choose(level);
  const wallMs = epochMs + 3 * dayMs;
  for (let n = 0; n < reportsCount; n++)
    site.telemetry.take(site.project, hostileReport(n, strings.slice(8 * n, 8 * n + 8)), {
      wallMs: wallMs - 1,
      isOwn: true,
    });
  expect(site.telemetry.intake("horizon").instancesCount).toBe(reportsCount);
  const due = site.due(wallMs);
  expect(due).toHaveLength(2);
  for (const { document, writes } of due) {
    expect(Buffer.from(toBinary(DocumentSchema, document)).includes(marker)).toBe(false);
    for (const { value } of writes) expect(Buffer.from(value!).includes(marker)).toBe(false);
  }
  const weights = due.find(({ document }) => document.kind === "WEIGHTS")!.document.weights!;
  expect(weights.releases.map(({ name }) => name)).toEqual(["1.0", "2.0", "other"]);
  expect(weights.releases.at(-1)).toMatchObject({ name: "other", basisPoints: 10_000 });
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
  expect(lied.map(({ basisPoints }) => basisPoints)).toEqual([9000, 1000, 1000]);
  for (let repeat = 0; repeat < 1000; repeat++)
    expect(
      site.telemetry.received.prepare(
        "liar",
        weightsDocument({ "2.0": 10_000 }, { window }),
        epochMs,
      ),
    ).toEqual({ ok: true, value: "REPEATED" });
});

function hostileReport(n: number, strings: readonly string[]): ReportRequest {
  const [version = "", instance = "", from = "", project = "", ...names] = strings;
  return create(ReportRequestSchema, {
    project: "horizon",
    version,
    instance: `${instance} ${n}`,
    health: "OK",
    flags: names.map((name, n) => ({ name, active: n % 2 === 0 })),
    features: names,
    dependencies: [{ project, version }],
    upgrade: { from, outcome: "OK" },
    crashes: names,
  });
}
