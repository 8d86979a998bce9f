import type { ReportRequest } from "../../../gen/headwater/v1/apps_pb.ts";
import type { Census } from "../../../gen/headwater/v1/flag_pb.ts";
import { compareVersions, parseVersion } from "../../flag/version.ts";
import type { Project } from "../../layers/project.ts";
import type { CensusAnswer } from "./census-answer.ts";

/** What a report says to a question. */
export function useOf(
  { kind, name }: Census,
  of: { project: Project; report: ReportRequest; wallMs: number; knowsUse: boolean },
): CensusAnswer {
  const { project, report, wallMs, knowsUse } = of;
  if (kind === "BELOW") {
    const release = project.buildOf(report.version, wallMs).release || report.version;
    const [version, wanted] = [parseVersion(release), parseVersion(name)];
    if (version === undefined || wanted === undefined) return "UNKNOWN";
    return compareVersions(version, wanted) < 0 ? "USED" : "UNUSED";
  }
  const isUsed =
    kind === "FLAG"
      ? report.flags.some((flag) => flag.name === name)
      : report.features.includes(name);
  if (isUsed) return "USED";
  return knowsUse && !report.partial ? "UNUSED" : "UNKNOWN";
}
