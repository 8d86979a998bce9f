import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { CensusSchema } from "../../../../gen/headwater/v1/flag_pb.ts";
import { dayMs, secondMs } from "../../../../relay/cadence.ts";
import { CensusWatches } from "../../../../relay/telemetry/census/census-watches.ts";
import { censusGraceMs } from "../../../../relay/telemetry/census/census-windows.ts";
import { epochMs } from "../../authority.ts";

const questionOf = (n: number, windowMs: number) => {
  const openedMs = BigInt(epochMs);
  const of = { kind: "FEATURE", name: `f-${n}`, openedMs, windowMs: BigInt(windowMs) };
  return { project: `p-${n}`, census: create(CensusSchema, of) };
};

test("how often apps report follows from the shortest window, and is known without looking at all", () => {
  const watches = new CensusWatches();
  expect(watches.reportEveryMs).toBe(Number.POSITIVE_INFINITY);
  const questions = Array.from({ length: 8_000 }, (_, n) => questionOf(n, 30 * dayMs));
  watches.keep(questions, epochMs, () => undefined);
  const beganMs = performance.now();
  for (let n = 0; n < 1_000; n++) expect(watches.reportEveryMs).toBe(censusGraceMs / 2);
  expect(performance.now() - beganMs).toBeLessThan(400);
  watches.keep([...questions, questionOf(8_000, 4 * secondMs)], epochMs, () => undefined);
  expect(watches.reportEveryMs).toBe(secondMs);
  watches.keep([], epochMs, () => undefined);
  expect(watches.reportEveryMs).toBe(Number.POSITIVE_INFINITY);
});
