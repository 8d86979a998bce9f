import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import type {
  ReportRequest,
  ReportResponse,
  WatchRequest,
  WatchResponse,
} from "../gen/headwater/v1/apps_pb.ts";
import { FlagService, TelemetryService } from "../gen/headwater/v1/apps_pb.ts";
import { withAnswerBound } from "./answer-bound.ts";

/** What a node can be asked. Calls fail when they can not be made, and end when the signal says so. */
export interface NodeCalls {
  readonly url: string;
  watch(request: WatchRequest, signal: AbortSignal): AsyncIterable<WatchResponse>;
  report(request: ReportRequest, signal: AbortSignal): Promise<ReportResponse>;
}

/** Calls by the Connect protocol, over whatever the runtime fetches with. */
export function nodeCalls(url: string, fetch: typeof globalThis.fetch): NodeCalls {
  const transport = createConnectTransport({
    baseUrl: url,
    useBinaryFormat: true,
    fetch: withAnswerBound(fetch),
  });
  const flags = createClient(FlagService, transport);
  const telemetry = createClient(TelemetryService, transport);
  return {
    url,
    watch: (request, signal) => flags.watch(request, { signal }),
    report: (request, signal) => telemetry.report(request, { signal }),
  };
}
