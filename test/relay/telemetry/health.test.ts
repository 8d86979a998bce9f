import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type Health, HealthSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { joinHealth, ownHealth } from "../../../relay/telemetry/health.ts";
import { verdicts } from "../../../relay/telemetry/verdict.ts";
import { vocabularyOf } from "../../../relay/telemetry/vocabulary.ts";
import { projectOf, reportOf } from "./fixture.ts";

const vocabulary = vocabularyOf(projectOf({ releases: ["1.10", "1.9", "2.0", "nightly"] }).own);
const at = { term: 1, seq: 5 };

describe("a release is judged against the one before it", () => {
  test("in the order of versions, and only where there is one before", () => {
    const reports = [
      ...reportsOf("1.9", 50, 0),
      ...reportsOf("1.10", 50, 50),
      ...reportsOf("2.0", 50, 50),
      ...reportsOf("nightly", 50, 50),
      ...reportsOf("unpublished", 50, 50),
    ];
    expect(wordsOf(ownHealth(reports, vocabulary, at))).toEqual({
      "1.10": "BAD",
      "1.9": "INSUFFICIENT",
      "2.0": "OK",
      nightly: "INSUFFICIENT",
      other: "INSUFFICIENT",
    });
  });

  test("and nothing is said of nobody", () => {
    const words = wordsOf(ownHealth([], vocabulary, at));
    expect(new Set(Object.values(words))).toEqual(new Set(["INSUFFICIENT"]));
    expect(Object.keys(words)).toEqual(["1.10", "1.9", "2.0", "nightly", "other"]);
  });

  test("with as many releases as there are words, in no time to speak of", () => {
    const releases = Array.from({ length: 4000 }, (_, n) => `1.${n}`);
    const large = vocabularyOf(projectOf({ releases }).own);
    const own = ownHealth([...reportsOf("1.7", 30, 0), ...reportsOf("1.8", 30, 30)], large, at);
    expect(wordsOf(own)["1.8"]).toBe("BAD");
    const joined = joinHealth(
      Array.from({ length: 20 }, () => own),
      large,
      at,
    );
    expect(wordsOf(joined)["1.8"]).toBe("BAD");
  });
});

describe("several reporters", () => {
  test("are joined word by word; words that nobody knows are dropped", () => {
    const all = [
      healthOf({ "2.0": 3, "1.9": 1, secret: 3 }),
      healthOf({ "2.0": 3, "1.9": 1 }),
      healthOf({ "2.0": 0xffff_ffff, "1.10": 2 }),
    ];
    expect(wordsOf(joinHealth(all, vocabulary, at))).toEqual({
      "1.10": "DEGRADED",
      "1.9": "OK",
      "2.0": "BAD",
      nightly: "INSUFFICIENT",
      other: "INSUFFICIENT",
    });
  });

  test("have arrived as far as the mean of them has, at this position or a newer one", () => {
    const arrivedAt = (term: number, seq: number, basisPoints: number): Health =>
      create(HealthSchema, { arrival: { term, seq, basisPoints } });
    const share = (...all: Health[]) => joinHealth(all, vocabulary, at).arrival;
    expect(share(arrivedAt(1, 5, 10_000), arrivedAt(1, 4, 10_000))).toMatchObject({
      ...at,
      basisPoints: 5000,
    });
    expect(share(arrivedAt(1, 6, 10_000), arrivedAt(2, 1, 10_000))?.basisPoints).toBe(10_000);
    expect(share(arrivedAt(1, 5, 0xffff_ffff), create(HealthSchema))?.basisPoints).toBe(5000);
    expect(share()?.basisPoints).toBe(0);
  });
});

function reportsOf(version: string, count: number, failed: number) {
  return Array.from({ length: count }, (_, n) =>
    reportOf({ instance: `${version}-${n}`, version, health: n < failed ? "FAILED" : "OK" }),
  );
}

function healthOf(judgements: Readonly<Record<string, number>>): Health {
  const releases = Object.entries(judgements).map(([release, judgement]) => ({
    release,
    judgement,
  }));
  return create(HealthSchema, { releases });
}

function wordsOf({ releases }: Health): Record<string, string | undefined> {
  return Object.fromEntries(
    releases.map(({ release, judgement }) => [release, verdicts[judgement ?? 0]]),
  );
}
