import { toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Document, DocumentSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs } from "../../../relay/cadence.ts";
import type { DisclosureLevel } from "../../../relay/telemetry/disclosure/level.ts";
import { epochMs } from "../authority.ts";
import { healthDocument, hourMs, type ReportInit, weightsDocument } from "./fixture.ts";
import { Site } from "./site.ts";

const levels = ["EXACT", "ROUNDED", "PANEL", "MODAL"] as const;

describe("whatever is reported and received", () => {
  const marker = "zq";
  const text = fc.string({ maxLength: 12 }).map((some) => marker + some);
  const known = { version: fc.constantFrom("1.0", "2.0"), flag: fc.constantFrom("alpha", "beta") };
  const report: fc.Arbitrary<ReportInit> = fc.record({
    instance: text,
    version: fc.oneof(known.version, text),
    health: fc.oneof(fc.constantFrom("OK", "DEGRADED", "FAILED"), text),
    on: fc.array(fc.oneof(known.flag, text), { maxLength: 3 }),
    off: fc.array(text, { maxLength: 3 }),
  });
  const shares = fc.dictionary(fc.oneof(known.version, text), fc.nat(10_000), {
    noNullPrototype: true,
  });
  const children = fc.array(fc.tuple(text, shares, fc.nat(3)), { maxLength: 4 });

  test.each(levels)("the size of a document at %s is the same", (level) => {
    const sizes = { WEIGHTS: new Set<number>(), HEALTH: new Set<number>() };
    fc.assert(
      fc.property(fc.array(report, { maxLength: 30 }), children, (reports, documents) => {
        for (const { kind, bytes } of encoded(level, reports, documents))
          sizes[kind as "WEIGHTS" | "HEALTH"].add(bytes.length);
        expect([sizes.WEIGHTS.size, sizes.HEALTH.size]).toEqual([1, 1]);
      }),
    );
  });

  test.each(levels)("at %s no word leaves that the project has not signed", (level) => {
    fc.assert(
      fc.property(fc.array(report, { maxLength: 8 }), children, (reports, documents) => {
        for (const { bytes } of encoded(level, reports, documents))
          expect(Buffer.from(bytes).includes(marker)).toBe(false);
      }),
    );
  });

  function encoded(
    level: DisclosureLevel,
    reports: readonly ReportInit[],
    documents: readonly [string, Record<string, number>, number][],
  ): { kind: string; bytes: Uint8Array }[] {
    const site = new Site();
    site.choose(level);
    const wallMs = epochMs + 3 * dayMs;
    for (const one of reports) site.report(one, wallMs - 1);
    for (const [child, releases, seq] of documents) {
      const [window, hour] = [Math.floor(wallMs / dayMs), Math.floor(wallMs / hourMs)];
      site.receive(child, weightsDocument(releases, { window, disclosure: level }), wallMs);
      site.receive(child, healthDocument(releases, { window: hour, seq }), wallMs);
    }
    return site.due(wallMs).map(({ document }) => ({
      kind: document.kind,
      bytes: bytesOf(document),
    }));
  }
});

function bytesOf(document: Document): Uint8Array {
  return toBinary(DocumentSchema, document);
}

test("what an instance says itself is not undone by what it is overheard to say", () => {
  const site = new Site();
  const said = (): unknown[] => {
    const { versions, flags } = site.telemetry.intake("horizon").tally(0);
    return [Object.fromEntries(versions), Object.fromEntries(flags)];
  };
  site.report({ instance: "i-1", partial: true });
  expect(said()).toEqual([{ "1.0": [1, 0, 0] }, {}]);
  site.report({ instance: "i-1", health: "FAILED", on: ["alpha"] });
  site.report({ instance: "i-1", partial: true }, epochMs + hourMs);
  expect(said()).toEqual([{ "1.0": [0, 0, 1] }, { alpha: 1 }]);
  site.telemetry.expire(epochMs + 3 * hourMs);
  site.report({ instance: "i-1", partial: true }, epochMs + 3 * hourMs);
  expect(said()).toEqual([{ "1.0": [1, 0, 0] }, {}]);
});
