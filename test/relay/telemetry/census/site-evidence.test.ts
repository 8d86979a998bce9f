import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  type CensusEvidence,
  CensusEvidenceSchema,
} from "../../../../gen/headwater/v1/store_pb.ts";
import { dayMs } from "../../../../relay/cadence.ts";
import { censusSpansMax, censusWindowsMax, peersCountMax } from "../../../../relay/limits.ts";
import { CensusWatch } from "../../../../relay/telemetry/census/census-watch.ts";
import { SiteEvidence } from "../../../../relay/telemetry/census/site-evidence.ts";
import { epochMs } from "../../authority.ts";

const windowMs = 90 * dayMs;

function told(of: { node?: string; spans?: number; windows?: number; from?: number }) {
  const { node = "n2", spans = 1, windows = 1, from = 0 } = of;
  const watched = Array.from({ length: spans }, (_, n) => {
    const fromMs = BigInt(epochMs + (from + n) * 1_000);
    return { fromMs, toMs: fromMs + 500n };
  });
  const used = Array.from({ length: windows }, (_, n) => from + n);
  const named = { project: "horizon", name: "old", windowMs: BigInt(windowMs), node };
  return create(CensusEvidenceSchema, { ...named, used, watched, toldMs: BigInt(epochMs) });
}

function hear(evidence: SiteEvidence, ...all: CensusEvidence[]): CensusEvidence[] {
  const news = evidence.heard(all, epochMs + dayMs);
  for (const one of news) evidence.accept(one);
  return news;
}

test.each([
  ["spans", censusSpansMax, "watched"],
  ["windows", censusWindowsMax, "used"],
] as const)("of so many %s may another node tell, and the newest are kept", (what, most, field) => {
  const evidence = new SiteEvidence("n1", new Map());
  expect(hear(evidence, told({ [what]: most + 1 }))).toEqual([]);
  expect(hear(evidence, told({ [what]: most }))).toHaveLength(1);
  const [joined] = hear(evidence, told({ [what]: most, from: 3 }));
  expect(joined?.[field]).toEqual(told({ [what]: most, from: 3 })[field]);
});

test("so many nodes are heard of one question, in however many messages", () => {
  const evidence = new SiteEvidence("n1", new Map());
  const nodes = Array.from({ length: peersCountMax + 1 }, (_, n) => told({ node: `n${n + 2}` }));
  expect(hear(evidence, ...nodes)).toHaveLength(peersCountMax);
  expect(hear(evidence, told({ node: "one more" }))).toEqual([]);
  expect(hear(evidence, told({ spans: 2 }))).toHaveLength(1);
});

test("a node that is started again and again keeps the newest times of its watching", () => {
  const windows = { openedMs: epochMs, windowMs };
  const watch = new CensusWatch(windows, epochMs);
  const [first] = watch.evidence.watched;
  for (let n = 1; n < censusSpansMax; n++) watch.resume(epochMs + n);
  expect(watch.evidence.watched).toHaveLength(censusSpansMax);
  expect(watch.evidence.watched[0]).toEqual(first);
  watch.resume(epochMs + censusSpansMax);
  expect(watch.evidence.watched).toHaveLength(censusSpansMax);
  expect(watch.evidence.watched[0]?.fromMs).toBe((first?.fromMs ?? 0) + 1);
  watch.recall({ ...watch.evidence, watched: [{ fromMs: epochMs - 5, toMs: epochMs - 1 }] });
  expect(watch.evidence.watched).toHaveLength(censusSpansMax);
});
