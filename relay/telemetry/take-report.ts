import type { ReportRequest } from "../../gen/headwater/v1/apps_pb.ts";
import type { Moment } from "../event.ts";
import { libraryReports, reportedInside } from "../libraries.ts";
import type { NodeParts } from "../parts.ts";

/**
 * Takes what an app says of itself, to this node or to another of its site. False when there is no
 * room; libraries inside the app are reported with it.
 */
export function takeReport(
  { telemetry, holdings }: NodeParts,
  report: ReportRequest,
  of: { at: Moment; isOwn: boolean },
): boolean {
  const taken = { wallMs: of.at.wallMs, isOwn: of.isOwn };
  if (telemetry === undefined) return false;
  if (!telemetry.take(holdings.projects.get(report.project), report, taken)) return false;
  const intake = telemetry.intake(report.project);
  for (const instance of reportedInside(holdings, report)) intake.forget(instance);
  for (const { project, report: own } of libraryReports(holdings, report))
    if (!telemetry.intake(project.name).holds(report.instance))
      telemetry.take(project, own, { ...taken, id: report.instance });
    else telemetry.censuses.hear(project, own, { ...taken, knowsUse: false });
  return true;
}
