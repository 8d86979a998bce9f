import type { ConnectRouter } from "@connectrpc/connect";
import { CensusService } from "../../gen/headwater/v1/censuses_pb.ts";
import { FleetService } from "../../gen/headwater/v1/fleet_pb.ts";
import { LedgerService } from "../../gen/headwater/v1/ledgers_pb.ts";
import { NodeService } from "../../gen/headwater/v1/nodes_pb.ts";
import { OperatorService } from "../../gen/headwater/v1/operators_pb.ts";
import { RolloutService } from "../../gen/headwater/v1/rollouts_pb.ts";
import { adminRequestBytesMax } from "../../relay/limits.ts";
import type { NodeAccess } from "../access.ts";
import { connectHandler, remoteAddressOf } from "../http/connect.ts";
import type { Deadlines } from "../http/deadlines.ts";
import { type HttpFallback, notFound } from "../http/http-handler.ts";
import { type Listener, openListener, type TlsFiles } from "../http/listener.ts";
import type { Log } from "../log.ts";
import type { Count, LabelledCounter } from "../metric.ts";
import { Authorization } from "./authorization.ts";
import { admittedKey } from "./call-origin.ts";
import { censusService } from "./census-service.ts";
import { ChangeStreams } from "./change-stream.ts";
import type { EventCounts } from "./event-counts.ts";
import { FlagStreams } from "./flag-stream.ts";
import { fleetService } from "./fleet-service.ts";
import { healthHandler } from "./health.ts";
import { ledgerService } from "./ledger-service.ts";
import { assertMayCall } from "./method-scope.ts";
import { Metrics } from "./metrics.ts";
import { nodeService } from "./node-service.ts";
import { type BackupPiece, operatorService } from "./operator-service.ts";
import { rolloutService } from "./rollout-service.ts";
import { whileAdmitted } from "./while-admitted.ts";

export interface AdminOptions {
  readonly access: NodeAccess;
  /** `host:port`; port 0 is any that is free. */
  readonly address: string;
  /** The bearer token that every call has to show. */
  readonly token: string;
  readonly log: Log;
  /** Name and version of the program, for `status`. */
  readonly software: string;
  /** Wall clock, milliseconds since 1970. */
  readonly startedMs: number;
  /** Addresses that join tokens name, `host:port`. */
  readonly advertise: readonly string[];
  /** What they pin: the authority of the certificate that is shown there now. */
  readonly identity: { readonly pin: Uint8Array };
  readonly tls?: TlsFiles | undefined;
  /** A consistent copy of the data directory, for operators. */
  readonly backup?: (() => AsyncIterable<BackupPiece>) | undefined;
  /** Further services on the same port, behind the same token. */
  readonly routes?: readonly ((router: ConnectRouter) => void)[] | undefined;
  /** Further metrics. */
  readonly counts?: readonly Count[] | undefined;
  readonly labelled?: readonly LabelledCounter[] | undefined;
  readonly events?: EventCounts | undefined;
  /** Takes every path that is no service's, without a token: the dashboard's files. */
  readonly fallback?: HttpFallback | undefined;
  readonly deadlines?: Partial<Deadlines> | undefined;
}

/**
 * Serves the operators of a node.
 * @throws HeadwaterError when the address can not be listened on
 */
export async function openAdmin(options: AdminOptions): Promise<Listener> {
  const { access, software, startedMs, advertise, identity } = options;
  const stop = new AbortController();
  const authorization = new Authorization(options.token, () => access.reads.tokens());
  const metrics = new Metrics({
    access,
    software,
    startedMs,
    counts: countsOf(options, authorization),
    labelled: options.labelled,
    events: options.events,
  });
  const streams = new FlagStreams(access, stop.signal);
  const changes = new ChangeStreams(access, stop.signal);
  const admittedWhile = whileAdmitted(access, authorization);
  const handler = connectHandler({
    routes: [
      (router) => router.service(LedgerService, ledgerService(access)),
      (router) =>
        router.service(
          NodeService,
          nodeService({ access, streams, admittedWhile, software, startedMs, advertise, identity }),
        ),
      (router) => router.service(FleetService, fleetService(access)),
      (router) => router.service(CensusService, censusService(access)),
      (router) => router.service(RolloutService, rolloutService(access)),
      (router) =>
        router.service(
          OperatorService,
          operatorService({ access, changes, admittedWhile, backup: options.backup }),
        ),
      ...(options.routes ?? []),
    ],
    log: options.log,
    readBytesMax: adminRequestBytesMax,
    shutdown: stop.signal,
    gate: (context) => {
      const admitted = authorization.check({
        header: context.requestHeader.get("authorization"),
        address: remoteAddressOf(context),
        ...access.now(),
      });
      assertMayCall(context.method, admitted);
      context.values.set(admittedKey, admitted);
    },
    fallback: healthHandler({
      access,
      authorization,
      metrics,
      fallback: options.fallback ?? notFound,
    }),
  });
  const listener = await openListener({
    address: options.address,
    handler,
    setting: "HEADWATER_ADMIN_ADDR",
    tls: options.tls,
    signal: stop.signal,
    deadlines: options.deadlines,
  });
  return {
    address: listener.address,
    renewTls: (tls) => listener.renewTls(tls),
    close: async () => {
      stop.abort();
      await listener.close();
    },
  };
}

function countsOf(options: AdminOptions, authorization: Authorization): Count[] {
  const refused: Count = {
    name: "admin_calls_refused_total",
    help: "Calls without the node's token",
    kind: "counter",
    read: () => authorization.refusedCount,
  };
  return [refused, ...(options.counts ?? [])];
}
