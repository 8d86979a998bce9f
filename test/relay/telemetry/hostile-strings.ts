import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { type ReportRequest, ReportRequestSchema } from "../../../gen/headwater/v1/apps_pb.ts";
import { type Document, DocumentSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs } from "../../../relay/cadence.ts";
import type { DisclosureLevel } from "../../../relay/telemetry/disclosure/level.ts";
import { epochMs } from "../authority.ts";
import { Site } from "./site.ts";

/** What is in every hostile string, and in no word of the project. */
const marker = "☠zq";

/** 8 in each report. */
const reportsCount = 12_500;

export const hostileStringsCount: number = 8 * reportsCount;

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

/** What a site sends, and keeps of it, whose apps have said nothing but such strings. */
export function hostileSite(of: { level: DisclosureLevel; seed: number }): {
  readonly instancesCount: number;
  readonly documents: readonly Document[];
  /** Documents and records that have one of the strings in them. */
  readonly leaksCount: number;
} {
  const strings = fc.sample(hostile, { numRuns: hostileStringsCount, seed: of.seed });
  const site = new Site();
  site.choose(of.level);
  const wallMs = epochMs + 3 * dayMs;
  for (let n = 0; n < reportsCount; n++)
    site.telemetry.take(site.project, hostileReport(n, strings.slice(8 * n, 8 * n + 8)), {
      wallMs: wallMs - 1,
      isOwn: true,
    });
  const due = site.due(wallMs);
  const leaving = due.flatMap(({ document, writes }) => [
    toBinary(DocumentSchema, document),
    ...writes.flatMap(({ value }) => value ?? []),
  ]);
  return {
    instancesCount: site.telemetry.intake("horizon").instancesCount,
    documents: due.map(({ document }) => document),
    leaksCount: leaving.filter((bytes) => Buffer.from(bytes).includes(marker)).length,
  };
}

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
