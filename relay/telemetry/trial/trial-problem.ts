import type { Trial as TrialRecord } from "../../../gen/headwater/v1/store_pb.ts";
import { clockSkewMsMax } from "../../cadence.ts";
import { isName } from "../../flag/name.ts";
import { trialInstancesMax } from "../../limits.ts";
import { memberBytes } from "./trial-members.ts";
import { lookWindows, verdicts } from "./verdict.ts";

/** A hash. */
const termsBytesMax = 32;

/** Everything that another node's record can get wrong; undefined for a sound one. */
export function trialProblem(record: TrialRecord, wallMs: number): string | undefined {
  const { members, looks, looksCount, judgement, kind, startedMs, terms } = record;
  if (kind !== "RELEASE" && kind !== "FLAG") return "kind: RELEASE or FLAG";
  if (![record.project, record.name].every(isName)) return "project, name: no names";
  if (record.against !== "" && !isName(record.against)) return "against: no name";
  if (Number(startedMs) > wallMs + clockSkewMsMax) return "started_ms: from the future";
  if (members.length % memberBytes !== 0) return "members: cut off";
  if (members.length > 2 * trialInstancesMax * memberBytes) return "members: too many";
  if (looks.length > lookWindows.length || looksCount > lookWindows.length)
    return "looks: too many";
  if (judgement >= verdicts.length) return "judgement: unknown";
  if (terms.length > termsBytesMax) return "terms: too long";
  if (record.subject === undefined || record.control === undefined)
    return "subject, control: missing";
  const arms = [record.subject, record.control, ...looks];
  const isWhole = arms.every(
    ({ instances, unwell, failed }) => Math.max(unwell, failed) <= instances,
  );
  return isWhole ? undefined : "arms: more failed than there are";
}
