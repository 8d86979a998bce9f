import type { ServiceImpl } from "@connectrpc/connect";
import type { TelemetryService } from "../../gen/headwater/v1/apps_pb.ts";
import { type Refusal, telemetryOff } from "../../relay/refusal.ts";
import { HeadwaterError } from "../error.ts";
import { type HttpRoute, pathOf } from "../http/http-handler.ts";
import type { AppsCounts } from "./apps-counts.ts";

/** Where telemetry is off: every report is refused, and apps then ask seldom. */
export function closedTelemetryService(counts: AppsCounts): ServiceImpl<typeof TelemetryService> {
  return {
    report: () => {
      counts.reportsRefusedCount++;
      throw HeadwaterError.refused(refusal);
    },
  };
}

/** The same for OTLP: exporters do not try again after 403. */
export function closedOtlpRoute(counts: AppsCounts): HttpRoute {
  return (request, response) => {
    if (!/^\/v1\/(traces|metrics|logs)$/.test(pathOf(request))) return undefined;
    counts.otlpRequestsRefusedCount++;
    // What is left of the body is not waited for.
    if (request.httpVersionMajor === 1) response.setHeader("connection", "close");
    response.writeHead(403, { "content-type": "application/json" });
    response.end(JSON.stringify({ code: 7, message: refusal.message }));
    return Promise.resolve();
  };
}

const refusal: Refusal = telemetryOff().refusal;
