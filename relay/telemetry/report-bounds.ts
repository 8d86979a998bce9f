import type { ReportRequest } from "../../gen/headwater/v1/apps_pb.ts";
import { lengthProblem } from "../length-problem.ts";
import {
  instanceLengthMax,
  reportCrashesMax,
  reportDependenciesMax,
  reportFeaturesMax,
  reportFlagsMax,
  versionLengthMax,
} from "../limits.ts";

/**
 * What of a report is longer, or more, than any may be, by field. A node refuses an app's with it; what
 * it passes on to its site may come from anybody who speaks there. Lengths in UTF-16 code units.
 */
export function boundsProblem(report: ReportRequest): string | undefined {
  const { instance, version, upgrade, flags, features, dependencies, crashes } = report;
  return (
    lengthProblem("instance", instance, { min: 1, max: instanceLengthMax }) ??
    lengthProblem("version", version, { max: versionLengthMax }) ??
    lengthProblem("upgrade.from", upgrade?.from ?? "", { max: versionLengthMax }) ??
    countProblem("flags", flags, reportFlagsMax) ??
    countProblem("features", features, reportFeaturesMax) ??
    countProblem("dependencies", dependencies, reportDependenciesMax) ??
    countProblem("crashes", crashes, reportCrashesMax) ??
    dependencies
      .map((one, at) =>
        lengthProblem(`dependencies[${at}].version`, one.version, { max: versionLengthMax }),
      )
      .find((problem) => problem !== undefined)
  );
}

function countProblem(field: string, values: readonly unknown[], max: number): string | undefined {
  return values.length > max
    ? `${field}: ${values.length} of them; at most ${max} are allowed`
    : undefined;
}
