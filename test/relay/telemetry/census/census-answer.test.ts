import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dayMs } from "../../../../relay/cadence.ts";
import {
  censusAnswers,
  joinAnswer,
  joinChildren,
} from "../../../../relay/telemetry/census/census-answer.ts";
import { censusGraceMs, censusSkewMs } from "../../../../relay/telemetry/census/census-windows.ts";
import { epochMs } from "../../authority.ts";

const windows = { openedMs: epochMs, windowMs: 90 * dayMs };
const lateMs = censusGraceMs + censusSkewMs;
const endMs = epochMs + windows.windowMs;

describe("a parent", () => {
  const at = { window: 0, wallMs: endMs + lateMs };
  const child = (
    answer: (typeof censusAnswers)[number],
    of: { window?: number; heardMs?: number } = {},
  ) => ({
    window: 0,
    heardMs: at.wallMs,
    answer,
    ...of,
  });

  test("says the strongest word of its children, in any order", () => {
    const answer = fc.constantFrom(...censusAnswers);
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1 }), (all) => {
        const joined = joinChildren(
          all.map((one) => child(one)),
          at,
        ).answer;
        expect(joined).toBe(all.reduce(joinAnswer));
        expect(joinChildren(all.map((one) => child(one)).reverse(), at).answer).toBe(joined);
      }),
    );
  });

  test("knows nothing without children, or of one that answers for another window", () => {
    expect(joinChildren([], at)).toEqual({ answer: "UNKNOWN", isExpelled: false });
    const all = [child("UNUSED"), child("UNUSED", { window: -1 })];
    expect(joinChildren(all, at).answer).toBe("UNKNOWN");
  });

  test("waits for a silent child for 90 days, then expels it and says so", () => {
    const silent = (days: number) =>
      child("UNUSED", { window: -1, heardMs: at.wallMs - days * dayMs });
    expect(joinChildren([child("UNUSED"), silent(90)], at)).toEqual({
      answer: "UNKNOWN",
      isExpelled: false,
    });
    expect(joinChildren([child("UNUSED"), silent(91)], at)).toEqual({
      answer: "UNUSED",
      isExpelled: true,
    });
    expect(joinChildren([silent(91)], at)).toEqual({ answer: "UNKNOWN", isExpelled: true });
  });

  test("keeps what a child has answered before it fell silent", () => {
    const silent = (answer: (typeof censusAnswers)[number]) =>
      joinChildren([child("UNUSED"), child(answer, { heardMs: at.wallMs - 91 * dayMs })], at);
    expect(silent("USED")).toEqual({ answer: "USED", isExpelled: false });
    expect(silent("UNUSED")).toEqual({ answer: "UNUSED", isExpelled: false });
    expect(silent("UNKNOWN")).toEqual({ answer: "UNUSED", isExpelled: true });
  });
});
