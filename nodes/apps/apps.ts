import type { ConnectRouter, ServiceImpl } from "@connectrpc/connect";
import { FlagService, TelemetryService } from "../../gen/headwater/v1/apps_pb.ts";
import { appRequestBytesMax } from "../../relay/limits.ts";
import type { NodeAccess } from "../access.ts";
import { connectHandler } from "../http/connect.ts";
import type { Deadlines } from "../http/deadlines.ts";
import { type HttpFallback, type HttpRoute, notFound } from "../http/http-handler.ts";
import { type Listener, openListener, type TlsFiles } from "../http/listener.ts";
import type { Log } from "../log.ts";
import { type AppsCounts, countCall, newAppsCounts } from "./apps-counts.ts";
import { closedOtlpRoute, closedTelemetryService } from "./closed-telemetry.ts";
import { flagService } from "./flag-service.ts";
import { FlagSetStreams } from "./flagd/flag-set-streams.ts";
import { flagdServices } from "./flagd/flagd-services.ts";
import { ofrepRoute } from "./ofrep/ofrep-route.ts";
import { otlpRoute } from "./otlp/otlp-route.ts";
import { reportLane, reportTaker, telemetryService } from "./telemetry-service.ts";
import { WatchLane } from "./watch-lane.ts";
import { WatchStreams } from "./watch-stream.ts";

export interface AppsOptions {
  readonly access: NodeAccess;
  /** `host:port`; port 0 is any that is free. */
  readonly address: string;
  readonly log: Log;
  readonly tls?: TlsFiles | undefined;
  /** Pages of these origins may call; `*` is every origin. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Reports are refused unread, in whatever form they come. */
  readonly isTelemetryOff?: boolean | undefined;
  /** Further services on the same port. */
  readonly routes?: readonly ((router: ConnectRouter) => void)[] | undefined;
  /** Takes every path that is no service's, and neither OFREP's nor OTLP's. */
  readonly fallback?: HttpFallback | undefined;
  /** The longest silence of a watch stream; tests shorten it. */
  readonly heartbeatMs?: number | undefined;
  /** Reports of one address: at once, and then each second; tests lower it. */
  readonly reportRate?: { burst: number; perSecond: number } | undefined;
  readonly deadlines?: Partial<Deadlines> | undefined;
}

export interface Apps extends Listener {
  readonly counts: Readonly<AppsCounts>;
}

/**
 * Serves the apps of a site.
 * @throws HeadwaterError when the address can not be listened on
 */
export async function openApps(options: AppsOptions): Promise<Apps> {
  const { access, log, reportRate: rate } = options;
  const stop = new AbortController();
  const counts = newAppsCounts();
  const streams = new WatchStreams({
    access,
    counts,
    shutdown: stop.signal,
    heartbeatMs: options.heartbeatMs,
  });
  const flagSets = new FlagSetStreams({ access, counts, shutdown: stop.signal });
  const keepAliveMs = options.heartbeatMs;
  const telemetry =
    options.isTelemetryOff === true
      ? closedTelemetry(counts)
      : openTelemetry({ access, counts, rate });
  const onCall = (path: string): void => countCall(counts, path);
  const lane = new WatchLane({ streams, shutdown: stop.signal, onCall });
  const handler = connectHandler({
    routes: [
      (router) => router.service(FlagService, flagService({ access, streams, counts })),
      (router) => router.service(TelemetryService, telemetry.service),
      flagdServices({ streams: flagSets, keepAliveMs }),
      ...(options.routes ?? []),
    ],
    log,
    readBytesMax: appRequestBytesMax,
    shutdown: stop.signal,
    corsOrigins: options.corsOrigins,
    onCall,
    lane: firstOf([lane.route, ...telemetry.lanes]),
    fallback: orElse(
      firstOf([ofrepRoute({ streams: flagSets, keepAliveMs }), telemetry.otlp]),
      options.fallback,
    ),
  });
  const listener = await openListener({
    address: options.address,
    handler,
    lane: lane.connection,
    setting: "HEADWATER_APPS_ADDR",
    tls: options.tls,
    signal: stop.signal,
    deadlines: options.deadlines,
  }).catch((thrown: unknown) => {
    // The rhythms of streams would keep the process alive.
    stop.abort();
    throw thrown;
  });
  const close = async (): Promise<void> => {
    stop.abort();
    await listener.close();
  };
  const renewTls = (tls: TlsFiles): void => listener.renewTls(tls);
  return { address: listener.address, counts, close, renewTls };
}

/** The ways of reports into the node. */
interface Telemetry {
  readonly service: ServiceImpl<typeof TelemetryService>;
  readonly lanes: readonly HttpRoute[];
  readonly otlp: HttpRoute;
}

function openTelemetry(parts: Parameters<typeof reportTaker>[0]): Telemetry {
  const take = reportTaker(parts);
  return { service: telemetryService(take), lanes: [reportLane(take)], otlp: otlpRoute(parts) };
}

function closedTelemetry(counts: AppsCounts): Telemetry {
  return { service: closedTelemetryService(counts), lanes: [], otlp: closedOtlpRoute(counts) };
}

/** The first route that answers. */
function firstOf(routes: readonly HttpRoute[]): HttpRoute {
  return (request, response) => {
    for (const route of routes) {
      const answering = route(request, response);
      if (answering !== undefined) return answering;
    }
    return undefined;
  };
}

function orElse(route: HttpRoute, fallback: HttpFallback = notFound): HttpFallback {
  return (request, response) => route(request, response) ?? fallback(request, response);
}
