import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CensusSchema } from "../../../../gen/headwater/v1/flag_pb.ts";
import { dayMs, secondMs } from "../../../../relay/cadence.ts";
import { CensusWatches } from "../../../../relay/telemetry/census/census-watches.ts";
import { censusGraceMs } from "../../../../relay/telemetry/census/census-windows.ts";
import { epochMs } from "../../authority.ts";
import { growth } from "../../growth.ts";

const questionOf = (n: number, windowMs: number) => {
  const openedMs = BigInt(epochMs);
  const of = { kind: "FEATURE", name: `f-${n}`, openedMs, windowMs: BigInt(windowMs) };
  return { project: `p-${n}`, census: create(CensusSchema, of) };
};

test("how often apps report follows from the shortest window", () => {
  const watches = new CensusWatches();
  expect(watches.reportEveryMs).toBe(Number.POSITIVE_INFINITY);
  const questions = Array.from({ length: 8_000 }, (_, n) => questionOf(n, 30 * dayMs));
  watches.keep(questions, epochMs, () => undefined);
  expect(watches.reportEveryMs).toBe(censusGraceMs / 2);
  watches.keep([...questions, questionOf(8_000, 4 * secondMs)], epochMs, () => undefined);
  expect(watches.reportEveryMs).toBe(secondMs);
  watches.keep([], epochMs, () => undefined);
  expect(watches.reportEveryMs).toBe(Number.POSITIVE_INFINITY);
});

test("how often apps report is known without looking at all questions", () => {
  const times = growth({ few: 100, many: 8_000 }, (count) => {
    const watches = new CensusWatches();
    const questions = Array.from({ length: count }, (_, n) => questionOf(n, 30 * dayMs));
    watches.keep(questions, epochMs, () => undefined);
    return () => {
      for (let n = 0; n < 10_000; n++)
        if (watches.reportEveryMs !== censusGraceMs / 2) throw new Error("it has changed");
    };
  });
  expect(times).toBeLessThan(20);
});
