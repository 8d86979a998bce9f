import type { ServiceImpl } from "@connectrpc/connect";
import type { ReportRequest, TelemetryService } from "../../gen/headwater/v1/apps_pb.ts";
import {
  instanceLengthMax,
  reportCrashesMax,
  reportDependenciesMax,
  reportFeaturesMax,
  reportFlagsMax,
  reportsBurstMax,
  reportsPerSecondMax,
  versionLengthMax,
} from "../../relay/limits.ts";
import { RateLimit } from "../../relay/rate-limit.ts";
import { healths } from "../../relay/telemetry/intake/tally.ts";
import type { NodeAccess } from "../access.ts";
import { HeadwaterError } from "../error.ts";
import { remoteAddressOf } from "../http/connect.ts";
import type { AppsCounts } from "./apps-counts.ts";
import { checkCount, checkCrash, checkLength, checkName, checkOneOf } from "./request-field.ts";

const upgradeOutcomes = ["OK", "FAILED"] as const;

/** Takes reports, bounded for each address that they come from. */
export function telemetryService(of: {
  access: NodeAccess;
  counts: AppsCounts;
  /** Reports of one address: at once, and then each second. */
  rate?: { burst: number; perSecond: number } | undefined;
}): ServiceImpl<typeof TelemetryService> {
  const { access, counts } = of;
  const rate = new RateLimit(of.rate ?? { burst: reportsBurstMax, perSecond: reportsPerSecondMax });
  return {
    report: async (report, context) => {
      try {
        takeOne(rate, remoteAddressOf(context), access.now().monoMs);
        checkReport(report);
      } catch (refusal) {
        counts.reportsRefusedCount++;
        throw refusal;
      }
      const answer = await access.ask<{ nextAfterMs: number }>((call) => ({
        kind: "report",
        call,
        report,
      }));
      counts.reportsCount++;
      return answer;
    },
  };
}

function takeOne(rate: RateLimit, address: string, monoMs: number): void {
  if (rate.take(address, monoMs)) return;
  throw new HeadwaterError({
    kind: "limit",
    message: `${address} reports too often`,
    hint: "wait next_after_ms of the last answer before the next report",
  });
}

function checkReport(report: ReportRequest): void {
  checkName("project", report.project);
  checkLength("version", report.version, { max: versionLengthMax });
  checkOneOf("health", report.health, healths);
  checkLength("instance", report.instance, { min: 1, max: instanceLengthMax });
  checkCount("flags", report.flags, reportFlagsMax);
  report.flags.forEach(({ name }, index) => checkName(`flags[${index}].name`, name));
  checkCount("features", report.features, reportFeaturesMax);
  report.features.forEach((feature, index) => checkName(`features[${index}]`, feature));
  checkCount("dependencies", report.dependencies, reportDependenciesMax);
  report.dependencies.forEach(({ project, version }, index) => {
    checkName(`dependencies[${index}].project`, project);
    checkLength(`dependencies[${index}].version`, version, { max: versionLengthMax });
  });
  if (report.upgrade !== undefined) {
    checkLength("upgrade.from", report.upgrade.from, { max: versionLengthMax });
    checkOneOf("upgrade.outcome", report.upgrade.outcome, upgradeOutcomes);
  }
  checkCount("crashes", report.crashes, reportCrashesMax);
  report.crashes.forEach((crash, index) => checkCrash(`crashes[${index}]`, crash));
}
