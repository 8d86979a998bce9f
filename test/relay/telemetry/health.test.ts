import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type Health, HealthSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { joinHealth, ownHealth } from "../../../relay/telemetry/health.ts";
import { verdicts } from "../../../relay/telemetry/trial/verdict.ts";
import { vocabularyOf } from "../../../relay/telemetry/vocabulary.ts";
import { projectOf } from "./fixture.ts";

const vocabulary = vocabularyOf(projectOf({ releases: ["1.10", "1.9", "2.0", "nightly"] }).own);
const at = { term: 1, seq: 5 };

test("a site says every word of the vocabulary, in order, whatever it knows of it", () => {
  const bad = ownHealth(
    (kind, name) => (kind === "FLAG" && name === "beta" ? "BAD" : "OK"),
    vocabulary,
    at,
  );
  expect(bad.flags).toMatchObject([
    { flag: "alpha", judgement: 1 },
    { flag: "beta", judgement: 3 },
  ]);
  expect(Object.keys(wordsOf(bad))).toEqual(["1.10", "1.9", "2.0", "nightly", "other"]);
  const none = ownHealth(() => "INSUFFICIENT", vocabulary, at);
  expect(new Set(Object.values(wordsOf(none)))).toEqual(new Set(["INSUFFICIENT"]));
  expect(toBinary(HealthSchema, none)).toHaveLength(toBinary(HealthSchema, bad).length);
});

test("as many releases as there are words are joined in no time to speak of", () => {
  const releases = Array.from({ length: 4000 }, (_, n) => `1.${n}`);
  const large = vocabularyOf(projectOf({ releases }).own);
  const own = ownHealth((_, name) => (name === "1.8" ? "BAD" : "OK"), large, at);
  const joined = joinHealth(
    Array.from({ length: 20 }, () => own),
    large,
    at,
  );
  expect(wordsOf(joined)["1.8"]).toBe("BAD");
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

  test("are joined flag by flag as well", () => {
    const saying = (...judgements: number[]): Health =>
      create(HealthSchema, {
        flags: judgements.map((judgement, n) => ({ flag: ["alpha", "beta"][n] ?? "x", judgement })),
      });
    const joined = joinHealth([saying(3, 3), saying(1, 3), saying(1, 0), saying()], vocabulary, at);
    expect(joined.flags).toMatchObject([{ judgement: 2 }, { judgement: 3 }]);
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
