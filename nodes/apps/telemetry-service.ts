import type { ServiceImpl } from "@connectrpc/connect";
import { type ReportRequest, TelemetryService } from "../../gen/headwater/v1/apps_pb.ts";
import { appRequestBytesMax, reportsBurstMax, reportsPerSecondMax } from "../../relay/limits.ts";
import { RateLimit } from "../../relay/rate-limit.ts";
import { healths } from "../../relay/telemetry/intake/tally.ts";
import { boundsProblem } from "../../relay/telemetry/report-bounds.ts";
import type { NodeAccess } from "../access.ts";
import { HeadwaterError } from "../error.ts";
import { remoteAddressOf } from "../http/connect.ts";
import type { HttpRoute } from "../http/http-handler.ts";
import { unaryLane } from "../http/unary-lane.ts";
import type { AppsCounts } from "./apps-counts.ts";
import { checkCrash, checkName, checkNoProblem, checkOneOf } from "./request-field.ts";

const upgradeOutcomes = ["OK", "FAILED"] as const;

/** Takes one report that comes from an address, and says when the next may. */
export type TakeReport = (
  report: ReportRequest,
  address: string,
) => Promise<{ nextAfterMs: number }>;

/** Takes reports, bounded for each address that they come from. */
export function reportTaker(of: {
  access: NodeAccess;
  counts: AppsCounts;
  /** Reports of one address: at once, and then each second. */
  rate?: { burst: number; perSecond: number } | undefined;
}): TakeReport {
  const { access, counts } = of;
  const rate = new RateLimit(of.rate ?? { burst: reportsBurstMax, perSecond: reportsPerSecondMax });
  return async (report, address) => {
    try {
      takeOne(rate, address, access.now().monoMs);
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
  };
}

export function telemetryService(take: TakeReport): ServiceImpl<typeof TelemetryService> {
  return { report: (report, context) => take(report, remoteAddressOf(context)) };
}

/** Nearly all reports are plain calls, and no other call comes as often. */
export function reportLane(answer: TakeReport): HttpRoute {
  const { report: method } = TelemetryService.method;
  return unaryLane({ method, requestBytesMax: appRequestBytesMax, answer });
}

function takeOne(rate: RateLimit, address: string, monoMs: number): void {
  if (rate.take(address, monoMs)) return;
  throw new HeadwaterError({
    kind: "limit",
    message: `${address} reports too often`,
    hint: "Wait as long as next_after_ms of the last answer says before the next report.",
  });
}

function checkReport(report: ReportRequest): void {
  checkName("project", report.project);
  checkNoProblem(boundsProblem(report));
  checkOneOf("health", report.health, healths);
  report.flags.forEach(({ name }, index) => checkName(`flags[${index}].name`, name));
  report.features.forEach((feature, index) => checkName(`features[${index}]`, feature));
  report.dependencies.forEach(({ project }, index) =>
    checkName(`dependencies[${index}].project`, project),
  );
  if (report.upgrade !== undefined)
    checkOneOf("upgrade.outcome", report.upgrade.outcome, upgradeOutcomes);
  report.crashes.forEach((crash, index) => checkCrash(`crashes[${index}]`, crash));
}
