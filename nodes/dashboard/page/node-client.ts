import {
  type Client,
  Code,
  ConnectError,
  createClient,
  type Interceptor,
} from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { CensusService } from "../../../gen/headwater/v1/censuses_pb.ts";
import { FleetService } from "../../../gen/headwater/v1/fleet_pb.ts";
import { LedgerService } from "../../../gen/headwater/v1/ledgers_pb.ts";
import { NodeService } from "../../../gen/headwater/v1/nodes_pb.ts";
import { OperatorService } from "../../../gen/headwater/v1/operators_pb.ts";
import { RolloutService } from "../../../gen/headwater/v1/rollouts_pb.ts";

/** The node that serves this page, by subject. */
export interface NodeClient {
  readonly ledgers: Client<typeof LedgerService>;
  readonly nodes: Client<typeof NodeService>;
  readonly fleet: Client<typeof FleetService>;
  readonly operators: Client<typeof OperatorService>;
  readonly rollouts: Client<typeof RolloutService>;
  readonly censuses: Client<typeof CensusService>;
}

/** Whoever waits for longer wants to know; a ledger of many flags may take a while. */
const answerMs = 60_000;

export function openNodeClient(token: string): NodeClient {
  const transport = createConnectTransport({
    baseUrl: location.origin,
    defaultTimeoutMs: answerMs,
    interceptors: [showing(token)],
  });
  return {
    ledgers: createClient(LedgerService, transport),
    nodes: createClient(NodeService, transport),
    fleet: createClient(FleetService, transport),
    operators: createClient(OperatorService, transport),
    rollouts: createClient(RolloutService, transport),
    censuses: createClient(CensusService, transport),
  };
}

/** What a person reads of whatever a call has thrown: what happened, then what to do. */
export function problemOf(thrown: unknown): {
  text: string;
  isToken: boolean;
  /** Whether somebody else's change came first. */
  isOutrun: boolean;
} {
  const error = ConnectError.from(thrown);
  const hint = error.metadata.get("headwater-hint");
  const isGone =
    error.code === Code.Unknown ||
    ((error.code === Code.Unavailable || error.code === Code.DeadlineExceeded) && hint === null);
  const what = isGone ? "The node does not answer." : sentence(error.rawMessage);
  const isToken = error.code === Code.Unauthenticated;
  // The form says where a token is found, and the hint where commands look for it.
  const next = hint === null || isToken ? "" : ` ${sentence(decodeURIComponent(hint))}`;
  const isOutrun = error.code === Code.Aborted && error.rawMessage.startsWith("expected:");
  return { text: `${what}${next}`, isToken, isOutrun };
}

function sentence(text: string): string {
  const trimmed = text.trim();
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? "" : "."}`;
}

function showing(token: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    request.header.set("headwater-actor", "dashboard");
    return next(request);
  };
}
