import type { ReportRequest } from "../../gen/headwater/v1/apps_pb.ts";
import {
  instanceLengthMax,
  reportCrashesMax,
  reportDependenciesMax,
  reportFeaturesMax,
  reportFlagsMax,
  versionLengthMax,
} from "../limits.ts";

/**
 * Whether an app may have sent a report. A node refuses an app's with the field that is wrong; what
 * it passes on to its site may come from anybody who speaks there.
 */
export function isWithinBounds(report: ReportRequest): boolean {
  const { instance, version, upgrade, flags, features, dependencies, crashes } = report;
  return (
    instance.length > 0 &&
    instance.length <= instanceLengthMax &&
    flags.length <= reportFlagsMax &&
    features.length <= reportFeaturesMax &&
    dependencies.length <= reportDependenciesMax &&
    crashes.length <= reportCrashesMax &&
    [version, upgrade?.from ?? "", ...dependencies.map((one) => one.version)].every(
      ({ length }) => length <= versionLengthMax,
    )
  );
}
