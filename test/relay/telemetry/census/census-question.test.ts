import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type Census, CensusSchema } from "../../../../gen/headwater/v1/flag_pb.ts";
import { dayMs } from "../../../../relay/cadence.ts";
import { censusesCountMax, censusesOpenMax, censusesYearMax } from "../../../../relay/limits.ts";
import {
  budgetProblem,
  censusEndMs,
  censusFormProblem,
  censusName,
  censusState,
} from "../../../../relay/telemetry/census/census-question.ts";
import { epochMs } from "../../authority.ts";

const openedMs = BigInt(epochMs);
const month = BigInt(30 * dayMs);

function question(of: MessageInitShape<typeof CensusSchema> = {}): Census {
  const plain = { kind: "FEATURE", name: "old-api", openedMs, windowMs: month };
  return create(CensusSchema, { ...plain, ...(of as object) });
}

/** So many, a day apart, each in a place of its own as long as there are any. */
function questions(count: number, of: MessageInitShape<typeof CensusSchema> = {}): Census[] {
  return Array.from({ length: count }, (_, n) =>
    question({
      name: `old-api-${n}`,
      openedMs: openedMs + BigInt(n * dayMs),
      slot: n % censusesOpenMax,
      ...of,
    }),
  );
}

describe("a question", () => {
  test("is named by what it asks and when", () => {
    const asked = question();
    expect(censusName(asked)).toBe(`feature/old-api/${epochMs}`);
    expect(censusFormProblem(censusName(asked), asked)).toBeUndefined();
  });

  test.each<[string, MessageInitShape<typeof CensusSchema>, RegExp]>([
    ["of another kind", { kind: "INSTANCES" }, /^kind: /],
    ["about no name", { name: "a/b" }, /^name: /],
    ["about a release that nothing is older than", { kind: "BELOW", name: "main" }, /^name: /],
    ["in a place that documents do not have", { slot: censusesOpenMax }, /^slot: /],
    ["never opened", { openedMs: 0n }, /^opened_ms: /],
    ["opened after time", { openedMs: 2n ** 63n }, /^opened_ms: /],
    ["with no window", { windowMs: 0n }, /^window_ms: /],
    ["with a window of ten years", { windowMs: month * 120n }, /^window_ms: /],
    ["with a long note", { note: "x".repeat(10_000) }, /^note: /],
  ])("%s is none", (_, of, problem) => {
    const asked = question(of);
    expect(censusFormProblem(censusName(asked), asked)).toMatch(problem);
  });

  test("under another key than its own is none", () => {
    expect(censusFormProblem("feature/other/1", question())).toMatch(/^key: /);
  });

  test("is to come, open, and closed by hand or after a year", () => {
    const asked = question();
    expect(censusState(asked, epochMs - 1)).toBe("TO_COME");
    expect(censusState(asked, epochMs)).toBe("OPEN");
    expect(censusState(asked, censusEndMs(asked))).toBe("CLOSED");
    const closed = question({ closedMs: openedMs + month });
    expect(censusState(closed, epochMs + Number(month))).toBe("CLOSED");
  });
});

describe("a project may ask", () => {
  const of = { wallMs: epochMs + 40 * dayMs, windowMsMin: 30 * dayMs };

  test("so many at once", () => {
    const open = questions(censusesOpenMax);
    for (const one of open) expect(budgetProblem(one, open, of)).toBeUndefined();
    const more = question({ openedMs: openedMs + BigInt(20 * dayMs) });
    expect(budgetProblem(more, [...open, more], of)).toContain("open at once");
  });

  test("so many in a year, closed ones too, and again a year later", () => {
    const asked = questions(censusesYearMax, { closedMs: openedMs + BigInt(30 * dayMs) });
    const at = (days: number): Census => question({ openedMs: openedMs + BigInt(days * dayMs) });
    expect(budgetProblem(at(35), asked, of)).toContain("in a year");
    expect(budgetProblem(at(400), asked, of)).toBeUndefined();
  });

  test("so many in all: of a project that has more each is past what it may ask", () => {
    const all = questions(censusesCountMax + 1, { closedMs: openedMs + 1n });
    const problemOf = (count: number): string | undefined =>
      budgetProblem(all[0]!, all.slice(0, count), of);
    expect(problemOf(censusesCountMax)).toBeUndefined();
    expect(problemOf(censusesCountMax + 1)).toContain("257 questions, and 256 are allowed");
  });

  test.each<[string, Census, string]>([
    ["shorter windows than are allowed here", question({ windowMs: 1_000n }), "shorter"],
    ["two at the same moment", question({ name: "other" }), "same moment"],
    ["two in one place", question({ name: "other", openedMs: openedMs + 1n }), "its place, 0"],
    ["the same twice", question({ openedMs: openedMs + 1n, slot: 1 }), "the same is asked by"],
  ])("not %s", (_, asked, problem) => {
    expect(budgetProblem(asked, [question(), asked], of)).toContain(problem);
  });

  test("the same again only once it is closed: staggered windows would tell a finer time", () => {
    const closedMs = openedMs + month;
    const first = question({ closedMs });
    const again = (init: MessageInitShape<typeof CensusSchema>): string | undefined => {
      const asked = question({ slot: 1, ...(init as object) });
      return budgetProblem(asked, [first, asked], of);
    };
    expect(again({ openedMs: closedMs })).toBeUndefined();
    expect(again({ openedMs: closedMs - 1n })).toContain("the same is asked by feature/old-api/");
    expect(again({ openedMs: openedMs + 1n, name: "other" })).toBeUndefined();
    expect(again({ openedMs: openedMs + 1n, kind: "FLAG" })).toBeUndefined();
  });

  test("what is older than a release under one of its names", () => {
    const first = question({ kind: "BELOW", name: "2.0" });
    const problem = (name: string): string | undefined => {
      const asked = question({ kind: "BELOW", name, openedMs: openedMs + 1n, slot: 1 });
      return budgetProblem(asked, [first, asked], of);
    };
    expect(problem("2.0.0")).toContain("the same is asked by below/2.0/");
    expect(problem("2.1")).toBeUndefined();
  });
});
