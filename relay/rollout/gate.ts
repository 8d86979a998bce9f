import type { CensusStanding } from "../../gen/headwater/v1/censuses_pb.ts";
import type { GateCheck, GateCondition } from "../../gen/headwater/v1/rollouts_pb.ts";
import type { Health, Weight, Weights } from "../../gen/headwater/v1/telemetry_pb.ts";
import { formatPercent } from "../flag/percent.ts";
import { compareVersions, parseVersion } from "../flag/version.ts";
import type { Layer } from "../layers/layer.ts";
import { quoted } from "../quoted.ts";
import { type VerdictWord, verdicts } from "../telemetry/trial/verdict.ts";
import { byName, whole } from "../telemetry/weights.ts";

export type GateAnswer = "YES" | "NO" | "UNKNOWN";

/** What is known of a fleet when a gate is asked. */
export interface GateFacts {
  readonly weights: Weights;
  readonly health: Health;
  readonly reportersCount: number;
  /** Of them, those of which only the most common release is known. */
  readonly releasesOnlyCount: number;
  /** Below so many reporting sites nothing is known. */
  readonly sitesMin: number;
  /** What censuses have come to, the newest question first. */
  readonly censuses: readonly CensusStanding[];
}

type Check = Pick<GateCheck, "condition" | "reason"> & { readonly answer: GateAnswer };

/** One NO is a no; else one UNKNOWN leaves it open. Without a condition nothing was asked. */
export function joinAnswers(answers: readonly GateAnswer[]): GateAnswer {
  if (answers.includes("NO")) return "NO";
  return answers.includes("UNKNOWN") || answers.length === 0 ? "UNKNOWN" : "YES";
}

/** What the project has no word for; undefined when it knows all that is asked about. */
export function conditionProblem(
  { condition }: GateCondition,
  own: Pick<Layer, "releases" | "flags" | "features">,
): string | undefined {
  const no = (kind: string, name: string): string => `there is no ${kind} ${quoted(name)}`;
  const flag = (name: string): string | undefined =>
    own.flags.has(name) ? undefined : no("flag", name);
  const release = (name: string): string | undefined =>
    own.releases.has(name) ? undefined : no("release", name);
  switch (condition.case) {
    case "atLeast":
      return release(condition.value.release);
    case "active":
      return flag(condition.value.flag);
    case "verdict":
      return condition.value.kind === "FLAG"
        ? flag(condition.value.name)
        : release(condition.value.name);
    case "unused": {
      const { kind, name } = condition.value;
      if (kind === "FLAG") return flag(name);
      if (kind === "BELOW") return parseVersion(name) ? undefined : no("version", name);
      return own.features.has(name) ? undefined : no("feature", name);
    }
    case undefined:
      return "one asks nothing that this version knows";
  }
}

/** Data that is not there is never a yes. */
export function checkCondition(asked: GateCondition, facts: GateFacts): Check {
  const condition = conditionWords(asked);
  const { reportersCount, sitesMin } = facts;
  if (asked.condition.case === "unused")
    return { condition, ...unusedAnswer(asked.condition.value, facts) };
  if (reportersCount === 0) return { condition, answer: "UNKNOWN", reason: "nobody has reported" };
  if (reportersCount < sitesMin)
    return {
      condition,
      answer: "UNKNOWN",
      reason: `${reportersCount} of the ${sitesMin} sites that are wanted have reported`,
    };
  return { condition, ...answerTo(asked, facts) };
}

function answerTo(
  { condition }: GateCondition,
  facts: GateFacts,
): Pick<Check, "answer" | "reason"> {
  const { health } = facts;
  switch (condition.case) {
    case "atLeast":
      return atLeastAnswer(condition.value, facts);
    case "active":
      return activeAnswer(condition.value, facts);
    case "verdict":
      return verdictAnswer(verdictOn(health, condition.value), condition.value.verdict);
    case "unused":
      return unusedAnswer(condition.value, facts);
    case undefined:
      return { answer: "UNKNOWN", reason: "nothing was asked" };
  }
}

/**
 * Of what runs, the share on a release or a newer one, in basis points; undefined when nothing runs.
 * Sites that run none of it count for nothing, and builds of no published release as older.
 */
export function shareAtLeast(weights: Weights, release: string): number | undefined {
  const wanted = parseVersion(release);
  const isNew = ({ name }: Weight): boolean => {
    const version = parseVersion(name);
    if (wanted === undefined || version === undefined) return name === release;
    return compareVersions(version, wanted) >= 0;
  };
  return shareOfRunning(weights, sumOf(weights.releases.filter(isNew)));
}

/** Of what runs, the share on which the flag was last on, in basis points. */
function shareActive(weights: Weights, flag: string): number | undefined {
  return shareOfRunning(weights, byName(weights.flags).get(flag)?.basisPoints ?? 0);
}

function shareOfRunning({ releases }: Weights, part: number): number | undefined {
  const running = sumOf(releases);
  return running === 0 ? undefined : Math.min(whole, Math.floor((part * whole) / running));
}

function sumOf(weights: readonly Weight[]): number {
  return weights.reduce((sum, { basisPoints = 0 }) => sum + basisPoints, 0);
}

export function verdictOn(health: Health, of: { kind: string; name: string }): VerdictWord {
  const judged =
    of.kind === "FLAG"
      ? health.flags.find(({ flag }) => flag === of.name)
      : health.releases.find(({ release }) => release === of.name);
  return verdicts[judged?.judgement ?? 0] ?? "INSUFFICIENT";
}

function shareAnswer(
  share: number | undefined,
  of: { basisPoints: number; besides: string },
): Pick<Check, "answer" | "reason"> {
  if (share === undefined) return { answer: "UNKNOWN", reason: "nobody runs it" };
  const reason = `${formatPercent(share)} of what runs${of.besides}`;
  return { answer: share >= of.basisPoints ? "YES" : "NO", reason };
}

function atLeastAnswer(
  { release, basisPoints }: { release: string; basisPoints: number },
  { weights, reportersCount, releasesOnlyCount }: GateFacts,
): Pick<Check, "answer" | "reason"> {
  const besides =
    releasesOnlyCount === 0
      ? ""
      : `; of ${releasesOnlyCount} of ${reportersCount} sites only the most common release is known`;
  const share = shareAtLeast(weights, release);
  if (share !== undefined && share < basisPoints && parseVersion(release) === undefined)
    return {
      answer: "UNKNOWN",
      reason: `${formatPercent(share)} of what runs is on ${release}, which is no version: what is newer can not be told`,
    };
  return shareAnswer(share, { basisPoints, besides });
}

/** Those who say nothing of flags are not among the sites that are wanted. */
function activeAnswer(
  { flag, basisPoints }: { flag: string; basisPoints: number },
  { weights, reportersCount, releasesOnlyCount, sitesMin }: GateFacts,
): Pick<Check, "answer" | "reason"> {
  if (weights.releasesOnly === 1)
    return { answer: "UNKNOWN", reason: "nobody who runs it says which flags are on" };
  const tellingCount = reportersCount - releasesOnlyCount;
  if (tellingCount < sitesMin)
    return {
      answer: "UNKNOWN",
      reason: `${tellingCount} of the ${sitesMin} sites that are wanted say which flags are on`,
    };
  const besides =
    releasesOnlyCount === 0
      ? ""
      : `; ${releasesOnlyCount} of ${reportersCount} sites do not say which flags are on`;
  return shareAnswer(shareActive(weights, flag), { basisPoints, besides });
}

function verdictAnswer(is: VerdictWord, wanted: string): Pick<Check, "answer" | "reason"> {
  const reason = `it is ${is.toLowerCase()}`;
  if (is === "INSUFFICIENT") return { answer: "UNKNOWN", reason };
  const isMet = is === "OK" || (is === "DEGRADED" && wanted === "DEGRADED");
  return { answer: isMet ? "YES" : "NO", reason };
}

/**
 * Of the question about it that is open, or the newest, the last window that is over, and whoever took part in it. Where
 * somebody is left out, an operator may go on with the rest; a gate can not know who that was.
 */
function unusedAnswer(
  of: { kind: string; name: string },
  { censuses, sitesMin }: GateFacts,
): Pick<Check, "answer" | "reason"> {
  const about = censuses.filter(({ kind, name }) => kind === of.kind && name === of.name);
  const asked = about.find(({ problem, state }) => problem === "" && state === "OPEN") ?? about[0];
  if (asked === undefined)
    return { answer: "UNKNOWN", reason: "no census asks this: `headwater census open`" };
  if (asked.problem !== "") return { answer: "UNKNOWN", reason: asked.problem };
  const [result] = asked.results;
  if (result === undefined) return { answer: "UNKNOWN", reason: "no window of it is over yet" };
  const { answer, window, childrenCount, expelled } = result;
  const reason = `window ${window + 1}: ${result.reason}`;
  if (answer === "USED") return { answer: "NO", reason };
  if (answer === "UNUSED" && expelled) return { answer: "UNKNOWN", reason };
  if (answer === "UNUSED" && childrenCount >= sitesMin) return { answer: "YES", reason };
  const few = answer === "UNUSED" ? `; of ${sitesMin} sites that are wanted` : "";
  return { answer: "UNKNOWN", reason: `${reason}${few}` };
}

function conditionWords({ condition }: GateCondition): string {
  switch (condition.case) {
    case "atLeast":
      return `${formatPercent(condition.value.basisPoints)} on ${condition.value.release} or newer`;
    case "active":
      return `${condition.value.flag} on for ${formatPercent(condition.value.basisPoints)}`;
    case "verdict": {
      const { kind, name, verdict } = condition.value;
      return `${kind.toLowerCase()} ${name} ${verdict.toLowerCase()}`;
    }
    case "unused": {
      const { kind, name } = condition.value;
      if (kind === "BELOW") return `nothing older than ${name}`;
      return `${kind.toLowerCase()} ${name} unused`;
    }
    case undefined:
      return "nothing";
  }
}
