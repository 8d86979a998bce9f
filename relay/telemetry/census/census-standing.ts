import { create } from "@bufbuild/protobuf";
import {
  type CensusResult,
  CensusResultSchema,
  type CensusStanding,
  CensusStandingSchema,
} from "../../../gen/headwater/v1/censuses_pb.ts";
import type { Census } from "../../../gen/headwater/v1/flag_pb.ts";
import type { Project } from "../../layers/project.ts";
import { censusEndMs, censusState, windowsOf } from "./census-question.ts";
import { windowToAnswer } from "./census-windows.ts";
import type { Censuses, CensusFinding } from "./censuses.ts";

/** Windows of one question that are shown, newest first. */
const resultsShown = 4;

/** All that is asked of a project and what came of it, the newest question first. */
export function censusStandings(
  censuses: Censuses,
  project: Project,
  wallMs: number,
): CensusStanding[] {
  const all = [...project.own.censuses].sort(([, one], [, other]) =>
    one.openedMs > other.openedMs ? -1 : 1,
  );
  const questions = all.map(([, census]) => census);
  return all.map(([name, census]) => {
    const { kind, name: about, note, openedMs, windowMs, closedMs } = census;
    const problem = censuses.problem(census, questions, wallMs) ?? "";
    return create(CensusStandingSchema, {
      key: `census/${name}`,
      kind,
      name: about,
      note,
      openedMs,
      windowMs,
      closedMs,
      slot: census.slot,
      problem,
      state: censusState(census, wallMs),
      results: problem === "" ? resultsOf({ censuses, project: project.name, census, wallMs }) : [],
    });
  });
}

/** Windows that are over, and were not cut short by the end of the question. */
function resultsOf(of: {
  censuses: Censuses;
  project: string;
  census: Census;
  wallMs: number;
}): CensusResult[] {
  const { censuses, project, census, wallMs } = of;
  const windows = windowsOf(census);
  const whole = Math.floor((censusEndMs(census) - windows.openedMs) / windows.windowMs) - 1;
  const last = Math.min(whole, windowToAnswer(windows, wallMs));
  const shown = Math.max(0, Math.min(resultsShown, last + 1));
  return Array.from({ length: shown }, (_, before) => {
    const window = last - before;
    const startMs = windows.openedMs + window * windows.windowMs;
    const finding = censuses.finding(project, census, window, wallMs);
    return create(CensusResultSchema, {
      window,
      startMs: BigInt(Math.floor(startMs)),
      endMs: BigInt(Math.floor(startMs + windows.windowMs)),
      answer: finding.answer,
      reason: reasonOf(finding),
      own: finding.own ?? "",
      childrenCount: finding.childrenCount,
      answeredCount: finding.answeredCount,
      expelled: finding.isExpelled,
    });
  });
}

/** Why it is so, and how complete that is. */
function reasonOf(finding: CensusFinding): string {
  const { answer, own, childrenCount, answeredCount, isExpelled } = finding;
  const expelled = isExpelled ? "; somebody who was silent for too long is left out" : "";
  if (own === undefined && childrenCount === 0) return `nobody takes part${expelled}`;
  const said = `${answeredCount} of ${childrenCount} enrolled children have answered`;
  const here = own === undefined ? "" : `, and own apps: ${own.toLowerCase()}`;
  const words = { USED: "somebody used it", UNUSED: "no enrolled deployment reported use" };
  const what = answer === "UNKNOWN" ? unknownReason(finding) : words[answer];
  return `${what}; ${said}${here}${expelled}`;
}

function unknownReason({ own, childrenCount, answeredCount }: CensusFinding): string {
  if (answeredCount < childrenCount) return "an enrolled child has not answered for this window";
  return own === "UNKNOWN"
    ? "it can not be ruled out here: not all was watched, or an instance went without a word"
    : "an enrolled child can not rule it out";
}
