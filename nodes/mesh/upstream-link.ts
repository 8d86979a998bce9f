import { create } from "@bufbuild/protobuf";
import {
  type ChannelOptions,
  Client,
  connectivityState,
  type Metadata,
  type ServiceError,
  type StatusObject,
} from "@grpc/grpc-js";
import {
  type ConfirmRequest,
  MeshService,
  type ReplicateResponse,
  SubmitDocumentRequestSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import { heartbeatIntervalMs, heartbeatsMissedMax } from "../../relay/cadence.ts";
import type { Dial } from "../../relay/effect.ts";
import { frameReceivedBytesMax, linkBytesInFlightMax } from "../../relay/limits.ts";
import { parseAddress } from "./address.ts";
import { ParentCredentials, serverNameOverride } from "./client-credentials.ts";
import { closingReason } from "./closing-reason.ts";
import { type MethodCodec, methodCodec } from "./codec.ts";
import { peerMetadata } from "./peer.ts";
import type { Tls } from "./tls.ts";

const replicate = methodCodec(MeshService.method.replicate);
const confirm = methodCodec(MeshService.method.confirm);
const submitDocument = methodCodec(MeshService.method.submitDocument);

/** A unary call may take as long as a link may be silent. */
const callDeadlineMs = heartbeatIntervalMs * heartbeatsMissedMax;

export interface LinkListener {
  frame(frame: ReplicateResponse): void;
  /** At most once, and never after `end`. */
  closed(why: string): void;
}

/**
 * One dial, from its start to its end: its own channel and connection, which are never used again.
 * Dialling anew is up to the node, so nothing here connects a second time.
 */
export class UpstreamLink {
  readonly #address: string;
  readonly #isPinned: boolean;
  readonly #listener: LinkListener;
  readonly #credentials: ParentCredentials;
  readonly #client: Client;
  readonly #metadata: Metadata;
  readonly #firstFrameTimer: NodeJS.Timeout;
  #hasEnded = false;
  #hasHeard = false;

  /** @throws when the address or the pinned certificate is none */
  constructor(of: { dial: Dial; tls: Tls; firstFrameMs: number; listener: LinkListener }) {
    const { address, certificate, credential, request } = of.dial;
    const host = parseAddress(address)?.host;
    if (host === undefined || host === "") throw new Error("its address is not host:port");
    const pin = certificate?.length === 0 ? undefined : certificate;
    this.#address = address;
    this.#isPinned = pin !== undefined;
    this.#listener = of.listener;
    this.#credentials = new ParentCredentials({ host, pin, tls: of.tls });
    this.#client = new Client(`dns:${address}`, this.#credentials, channelOptions(host));
    this.#metadata = peerMetadata(credential);
    this.#firstFrameTimer = setTimeout(() => this.#close(this.#silence()), of.firstFrameMs);
    this.#replicate(request);
  }
}

function channelOptions(host: string): ChannelOptions {
  const serverName = serverNameOverride(host);
  return {
    "grpc.max_receive_message_length": frameReceivedBytesMax,
    // A parent has at most this much on its way; with less, distance would slow down a snapshot.
    "grpc-node.flow_control_window": linkBytesInFlightMax,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_retries": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.enable_channelz": 0,
    ...(serverName !== undefined && { "grpc.ssl_target_name_override": serverName }),
    // No proxy is there for what runs on this very machine.
    ...(isLoopback(host) && { "grpc.enable_http_proxy": 0 }),
  };
}
