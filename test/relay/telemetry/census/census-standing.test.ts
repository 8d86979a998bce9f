import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type Census, CensusSchema } from "../../../../gen/headwater/v1/flag_pb.ts";
import { DocumentSchema } from "../../../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs, reportIntervalMs } from "../../../../relay/cadence.ts";
import type { Project } from "../../../../relay/layers/project.ts";
import type { CensusAnswer } from "../../../../relay/telemetry/census/census-answer.ts";
import { slotAnswer } from "../../../../relay/telemetry/census/census-children.ts";
import { censusName } from "../../../../relay/telemetry/census/census-question.ts";
import { censusStandings } from "../../../../relay/telemetry/census/census-standing.ts";
import { censusGraceMs, censusSkewMs } from "../../../../relay/telemetry/census/census-windows.ts";
import { CensusNode, census, project, windows } from "./census-site.ts";

const { openedMs, windowMs } = windows;

/** When the window of a number can be answered. */
const sureMs = (window: number): number =>
  openedMs + (window + 1) * windowMs + censusGraceMs + 2 * censusSkewMs;

/** A node that was told to take part before anything was asked, or was not. */
function nodeOf(of: { isEnrolled?: boolean; withoutApps?: boolean } = {}): CensusNode {
  const node = new CensusNode("a", openedMs - dayMs);
  if (of.isEnrolled !== false) node.enroll(openedMs - dayMs, of.withoutApps);
  return node;
}

function watched(node: CensusNode, untilMs: number): CensusNode {
  for (let wallMs = openedMs - dayMs; wallMs < untilMs; wallMs += reportIntervalMs)
    node.look(wallMs);
  node.look(untilMs);
  return node;
}

function say(node: CensusNode, of: { child: string; answer?: CensusAnswer; expelled?: number }) {
  const { child, answer, expelled = 0 } = of;
  const slot =
    answer === undefined
      ? { answer: slotAnswer("UNKNOWN") }
      : { openedMs: census.openedMs, window: 0, answer: slotAnswer(answer), expelled };
  const document = { project: project.name, kind: "WEIGHTS", census: [slot] };
  node.hearChild(child, create(DocumentSchema, document), openedMs);
}

/** What is said of the first window, once it is over. */
function resultOf(node: CensusNode, wallMs = sureMs(0)) {
  return censusStandings(node.census, project, wallMs)[0]?.results.at(-1);
}

describe("why an answer is what it is", () => {
  test("where nobody takes part", () => {
    const result = resultOf(nodeOf({ isEnrolled: false }));
    expect(result).toMatchObject({ answer: "UNKNOWN", own: "", childrenCount: 0 });
    expect(result?.reason).toBe("nobody takes part");
  });

  test("at a site that has watched its own apps, and at one that has not", () => {
    expect(resultOf(watched(nodeOf(), sureMs(0)))).toMatchObject({
      answer: "UNUSED",
      own: "UNUSED",
      reason:
        "no enrolled deployment reported use; 0 of 0 enrolled children have answered, and own apps: unused",
      startMs: BigInt(openedMs),
      endMs: BigInt(openedMs + windowMs),
    });
    expect(resultOf(nodeOf())).toMatchObject({
      answer: "UNKNOWN",
      reason: expect.stringMatching(/^it can not be ruled out here: .*own apps: unknown$/),
    });
  });

  test.each<[string, { answer?: CensusAnswer; expelled?: number }, string, RegExp]>([
    ["has used it", { answer: "USED" }, "USED", /^somebody used it; 1 of 1 /],
    ["has not", { answer: "UNUSED" }, "UNUSED", /reported use; 1 of 1 enrolled .* answered$/],
    ["does not know", { answer: "UNKNOWN" }, "UNKNOWN", /^an enrolled child can not rule it out/],
    ["has not answered", {}, "UNKNOWN", /^an enrolled child has not answered .*; 0 of 1 /],
    [
      "left one out",
      { answer: "UNUSED", expelled: 1 },
      "UNUSED",
      /silent for too long is left out$/,
    ],
  ])("where a child %s", (_, said, answer, reason) => {
    const hop = nodeOf({ withoutApps: true });
    say(hop, { child: "site", ...said });
    const result = resultOf(watched(hop, sureMs(0)));
    expect(result).toMatchObject({ answer, own: "", childrenCount: 1 });
    expect(result?.expelled).toBe(said.expelled === 1);
    expect(result?.reason).toMatch(reason);
  });
});

describe("of all that is asked", () => {
  const question = (
    openedMs: number,
    of: { closedMs?: number; windowMs?: number } = {},
  ): Census => {
    const { closedMs = 0, windowMs = dayMs } = of;
    const times = { openedMs: BigInt(openedMs), closedMs: BigInt(closedMs) };
    const slot = openedMs % 7;
    return create(CensusSchema, { ...census, ...times, windowMs: BigInt(windowMs), slot });
  };
  const standingsOf = (questions: readonly Census[], wallMs: number) => {
    const censuses = new Map(questions.map((one) => [censusName(one), one]));
    const asked = { name: project.name, own: { censuses } } as unknown as Project;
    return censusStandings(nodeOf().census, asked, wallMs);
  };

  test("the newest comes first, of each the last four windows", () => {
    const other = { ...question(openedMs + 1), name: "other-api" };
    const all = standingsOf([question(openedMs), other], sureMs(8));
    expect(all.map((one) => Number(one.openedMs))).toEqual([openedMs + 1, openedMs]);
    expect(all[0]?.results.map(({ window }) => window)).toEqual([8, 7, 6, 5]);
  });

  test("a window is not shown that is not over, or that the end of its question cut short", () => {
    const closedMs = openedMs + 2.5 * dayMs;
    const [closed] = standingsOf([question(openedMs, { closedMs })], sureMs(8));
    expect(closed).toMatchObject({ state: "CLOSED", closedMs: BigInt(closedMs) });
    expect(closed?.results.map(({ window }) => window)).toEqual([1, 0]);
    const [young] = standingsOf([question(openedMs)], openedMs + dayMs);
    expect(young).toMatchObject({ state: "OPEN", results: [] });
    const [next] = standingsOf([question(openedMs)], openedMs - 1);
    expect(next).toMatchObject({ state: "TO_COME", results: [] });
  });

  test("what goes past what may be asked is said why, and is not answered", () => {
    const [short] = standingsOf([question(openedMs, { windowMs: dayMs / 2 })], sureMs(8));
    expect(short).toMatchObject({ results: [] });
    expect(short?.problem).toContain("shorter than HEADWATER_CENSUS_WINDOW allows");
  });
});
