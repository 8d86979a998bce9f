import { isIP } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import {
  type ChannelOptions,
  Client,
  connectivityState,
  type Metadata,
  type StatusObject,
} from "@grpc/grpc-js";
import {
  type ConfirmRequest,
  type GiveBackRequest,
  MeshService,
  type ReplicateRequest,
  type ReplicateResponse,
  SubmitDocumentRequestSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import {
  dialDeadlineMs,
  heartbeatIntervalMs,
  heartbeatsMissedMax,
  secondMs,
} from "../../relay/cadence.ts";
import type { Dial } from "../../relay/effect.ts";
import { frameReceivedBytesMax, linkBytesInFlightMax } from "../../relay/limits.ts";
import { parseAddress } from "./address.ts";
import { ParentCredentials } from "./client-credentials.ts";
import {
  handshakeReason,
  silenceReason,
  statusReason,
  type Target,
  undialledReason,
} from "./closing-reason.ts";
import { type MethodCodec, methodCodec } from "./codec.ts";
import { firstPart, isUrgent, joinConfirms } from "./confirm-parts.ts";
import { peerMetadata } from "./peer.ts";
import { siteServerName } from "./site-certificate.ts";
import type { Tls } from "./tls.ts";

const replicate = methodCodec(MeshService.method.replicate);
const confirm = methodCodec(MeshService.method.confirm);
const giveBack = methodCodec(MeshService.method.giveBack);
const submitDocument = methodCodec(MeshService.method.submitDocument);

/**
 * How long the first frame may take: a little less than the node waits before it gives up by
 * itself, because here it is known how far the dial has come.
 */
const firstFrameMs = 0.9 * dialDeadlineMs;

/** A unary call may take as long as a link may be silent. */
const callDeadlineMs = heartbeatIntervalMs * heartbeatsMissedMax;

/**
 * What is durable here is told after this, with what comes meanwhile: a call costs both ends more than
 * the change that it is about, and nobody waits for it.
 */
const confirmGatherMs = 100;

/** Before a `Confirm` that came to nothing is made again, at first; each further time twice as long. */
const confirmAgainMs = 1 * secondMs;

const linkEnded = "the link to the parent has ended";

/** Who is told about a link; never once it has ended. */
export interface LinkListener {
  frame(frame: ReplicateResponse): void;
  /** At most once; whether nobody has said anything for as long as is waited. */
  closed(why: string, isSilent: boolean): void;
}

interface Channel {
  readonly client: Client;
  readonly credentials: ParentCredentials;
}

/**
 * One dial, from its start to its end: a channel and a connection of its own, which are never used
 * again. Dialling anew is up to the node, so nothing here connects a second time.
 */
export class UpstreamLink {
  readonly #target: Target;
  readonly #listener: LinkListener;
  readonly #metadata: Metadata;
  readonly #firstFrameTimer: NodeJS.Timeout;
  #channel: Channel | undefined;
  #unconfirmed: ConfirmRequest | undefined;
  #isConfirming = false;
  #hasEnded = false;

  constructor(of: {
    readonly dial: Dial;
    readonly tls: Tls;
    readonly listener: LinkListener;
    /** The one address of the name that has its turn, once it is known. */
    readonly turn?: Promise<string | undefined> | undefined;
  }) {
    const { dial, turn } = of;
    const pin = dial.certificate?.length === 0 ? undefined : dial.certificate;
    this.#target = { address: dial.address, isPinned: pin !== undefined };
    this.#listener = of.listener;
    this.#metadata = peerMetadata(dial.credential);
    this.#firstFrameTimer = setTimeout(() => this.#fallSilent(), firstFrameMs);
    const open = (endpoint?: string): void => this.#open({ ...of, pin, endpoint });
    if (turn === undefined) open();
    else void turn.then(open);
  }

  #open(of: {
    readonly dial: Dial;
    readonly tls: Tls;
    readonly pin: Uint8Array | undefined;
    readonly endpoint: string | undefined;
  }): void {
    if (this.#hasEnded) return;
    const { address, request } = of.dial;
    try {
      this.#channel = openChannel({ ...of, address });
      this.#replicate(this.#channel, request);
    } catch (error) {
      // Nothing is told before the constructor has returned.
      setImmediate(() => this.#close(undialledReason(this.#target, error)));
    }
  }

  /** Makes the parent forget it, and everything here. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#firstFrameTimer);
    this.#channel?.client.close();
    this.#channel?.credentials.destroySockets();
  }

  /** What the parent answered, or why it could not. */
  async submit(document: Document): Promise<string> {
    const request = create(SubmitDocumentRequestSchema, { document });
    const answer = await this.#ask(submitDocument, request);
    return typeof answer === "string" ? answer : answer.outcome;
  }

  /** One call at a time, and not at once: what is asked for meanwhile goes together into it. */
  async confirm(request: ConfirmRequest): Promise<void> {
    this.#unconfirmed = joinConfirms(this.#unconfirmed, request);
    if (this.#isConfirming) return;
    this.#isConfirming = true;
    for (let failures = 0; this.#unconfirmed !== undefined && !this.#hasEnded; ) {
      if (!isUrgent(this.#unconfirmed)) await sleep(confirmGatherMs, undefined, { ref: false });
      const { part: asked, rest } = firstPart(this.#unconfirmed);
      this.#unconfirmed = rest;
      const answer = await this.#ask(confirm, asked);
      if (typeof answer !== "string") {
        failures = 0;
        continue;
      }
      // A parent that has no time now would be left with what it knew before.
      this.#unconfirmed = joinConfirms(asked, this.#unconfirmed ?? asked);
      await sleep(confirmAgainMs * 2 ** Math.min(failures++, 5), undefined, { ref: false });
    }
    this.#isConfirming = false;
  }

  /** Ends with the first frame that is not taken: those after it are of no use then. */
  async giveBack(requests: readonly GiveBackRequest[]): Promise<void> {
    for (const request of requests)
      if (typeof (await this.#ask(giveBack, request)) === "string") return;
  }

  #replicate({ client, credentials }: Channel, request: ReplicateRequest): void {
    const { path, requestSerialize, responseDeserialize } = replicate;
    const call = client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      this.#metadata,
    );
    let status: StatusObject | undefined;
    call.on("data", (frame: ReplicateResponse) => this.#hear(frame));
    call.on("status", (ended: StatusObject) => {
      status = ended;
    });
    // The status says it all, and the end comes after the last frame, which an error may not.
    call.on("error", () => {});
    call.on("end", () => this.#close(this.#reason(credentials, status)));
  }

  #reason({ handshakeError }: ParentCredentials, status: StatusObject | undefined): string {
    if (handshakeError !== undefined) return handshakeReason(this.#target, handshakeError);
    return status === undefined ? "the link has ended" : statusReason(this.#target, status);
  }

  #hear(frame: ReplicateResponse): void {
    if (this.#hasEnded) return;
    clearTimeout(this.#firstFrameTimer);
    this.#listener.frame(frame);
  }

  #close(why: string, isSilent = false): void {
    if (this.#hasEnded) return;
    this.end();
    this.#listener.closed(why, isSilent);
  }

  #fallSilent(): void {
    const { client, credentials } = this.#channel ?? {};
    const state = client?.getChannel().getConnectivityState(false);
    const isSecure = state === connectivityState.READY;
    const isReached = credentials?.hasSockets === true;
    this.#close(
      silenceReason({ target: this.#target, afterMs: firstFrameMs, isReached, isSecure }),
      true,
    );
  }

  async #ask<I extends DescMessage, O extends DescMessage>(
    method: MethodCodec<I, O>,
    request: MessageShape<I>,
  ): Promise<MessageShape<O> | string> {
    const client = this.#channel?.client;
    if (client === undefined || this.#hasEnded) return linkEnded;
    const { promise, resolve } = Promise.withResolvers<MessageShape<O> | string>();
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      this.#metadata,
      { deadline: Date.now() + callDeadlineMs },
      (error, response) => {
        if (response !== undefined) resolve(response);
        else if (error === null || this.#hasEnded) resolve(linkEnded);
        else resolve(statusReason(this.#target, error));
      },
    );
    return promise;
  }
}

function openChannel(of: {
  readonly address: string;
  /** Absent: whichever of the name's takes the connection. */
  readonly endpoint: string | undefined;
  readonly pin: Uint8Array | undefined;
  readonly tls: Tls;
}): Channel {
  const { address, endpoint, pin, tls } = of;
  const host = parseAddress(address)?.host;
  if (host === undefined || host === "") throw new Error("it is not host:port");
  const credentials = new ParentCredentials({ host, pin, tls });
  const options = { ...optionsFor(host), ...(endpoint && namedAs(address, host)) };
  return { credentials, client: new Client(`dns:${endpoint ?? address}`, credentials, options) };
}

/** What is dialled by its number is still asked for, and has to show a certificate, by its name. */
function namedAs(address: string, host: string): ChannelOptions {
  return { "grpc.default_authority": address, "grpc.ssl_target_name_override": host };
}

function optionsFor(host: string): ChannelOptions {
  return {
    "grpc.max_receive_message_length": frameReceivedBytesMax,
    // A parent has at most this much on its way; with less, distance would slow down a snapshot.
    "grpc-node.flow_control_window": linkBytesInFlightMax,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_retries": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.enable_channelz": 0,
    // RFC 6066 has no server name that is an address, and Node warns about one.
    ...(isIP(host) !== 0 && { "grpc.ssl_target_name_override": siteServerName }),
    // A proxy of the environment can not reach what runs on this very machine.
    ...(isLoopback(host) && { "grpc.enable_http_proxy": 0 }),
  };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
