import { performance } from "node:perf_hooks";
import { create } from "@bufbuild/protobuf";
import {
  type handleUnaryCall,
  Server,
  type ServerCredentials,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import {
  type ConfirmRequest,
  type ConfirmResponse,
  ConfirmResponseSchema,
  type GiveBackRequest,
  type GiveBackResponse,
  GiveBackResponseSchema,
  MeshService,
  type ReplicateRequest,
  type SubmitDocumentRequest,
  type SubmitDocumentResponse,
  SubmitDocumentResponseSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { heartbeatIntervalMs, minuteMs, secondMs } from "../../relay/cadence.ts";
import type { LinkId, Peer } from "../../relay/event.ts";
import { childrenCountMax, meshRequestBytesMax, meshStreamsMax } from "../../relay/limits.ts";
import type { NodeAccess } from "../access.ts";
import { HeadwaterError } from "../error.ts";
import type { Log } from "../log.ts";
import { Admission } from "./admission.ts";
import { callError } from "./call-error.ts";
import { ChildStreams } from "./child-streams.ts";
import { serviceDefinition } from "./codec.ts";
import { type Listener, listen } from "./listener.ts";
import { peerOf } from "./peer.ts";
import { sheddingInterceptor } from "./shedding.ts";

/** What a node offers to the nodes downstream of it. */
export interface MeshServer {
  /** `host:port`, as bound. */
  readonly address: string;
  /** A `ReplicateResponse`, encoded. A link that has closed meanwhile takes it as well. */
  send(link: LinkId, frame: Uint8Array): void;
  /** Ends the stream after what was sent. */
  close(link: LinkId): void;
  /** Resolves once the signal has aborted and all connections are gone. */
  readonly stopped: Promise<void>;
}

interface Options {
  readonly access: Pick<NodeAccess, "ask" | "tell">;
  /** `host:port` to listen on; port 0 is any. */
  readonly address: string;
  readonly credentials: ServerCredentials;
  readonly log: Log;
  /** Stops it: children are told, and have a moment to take what was sent. */
  readonly signal: AbortSignal;
  /** Links at once; the bound of the limits unless given. */
  readonly childrenMax?: number | undefined;
}

/** What a connection may take to end when the node stops; `docker stop` gives all ten seconds. */
const stopDeadlineMs = 5 * secondMs;

/**
 * Listens for children. Each `Replicate` is told as child-opened, children-flushed and, exactly once,
 * child-closed; `Confirm`, `GiveBack` and `SubmitDocument` are asked.
 * @throws HeadwaterError `busy` or `invalid` when it can not listen on the address
 */
export async function openMeshServer(options: Options): Promise<MeshServer> {
  const { access, signal, address, log, childrenMax = childrenCountMax } = options;
  const admission = new Admission({ log, nowMs: () => performance.now() });
  const server = new Server({
    interceptors: [sheddingInterceptor(admission)],
    "grpc.max_receive_message_length": meshRequestBytesMax,
    "grpc.max_concurrent_streams": meshStreamsMax,
    "grpc.max_connection_idle_ms": minuteMs,
    // A peer whose machine is gone is noticed as soon as a child would notice a parent's silence.
    "grpc.keepalive_time_ms": heartbeatIntervalMs,
    "grpc.keepalive_timeout_ms": heartbeatIntervalMs,
    "grpc.enable_channelz": 0,
  });
  const injector = server.createConnectionInjector(options.credentials);
  const listener = await listen({ address, injector, admission, log });
  const destroyConnection = (peer: string): void => listener.destroyConnection(peer);
  const streams = new ChildStreams({ access, destroyConnection, childrenMax });
  server.addService(serviceDefinition(MeshService), {
    replicate: (call: ServerWritableStream<ReplicateRequest, Uint8Array>) => streams.open(call),
    confirm: answering(options, async (request: ConfirmRequest, peer) => {
      await access.ask((call) => ({ kind: "child-confirmed", call, peer, request }));
      return create(ConfirmResponseSchema);
    }),
    giveBack: answering(options, async (request: GiveBackRequest, peer) => {
      await access.ask((call) => ({ kind: "ledger-given-back", call, peer, request }));
      return create(GiveBackResponseSchema);
    }),
    submitDocument: answering(options, (request: SubmitDocumentRequest, peer) =>
      receiveDocument(access, request, peer),
    ),
  });
  return {
    address: listener.address,
    send: (link, frame) => streams.send(link, frame),
    close: (link) => streams.close(link),
    stopped: aborted(signal).then(() => stop({ server, listener, streams })),
  };
}

async function receiveDocument(
  access: Pick<NodeAccess, "ask">,
  { document }: SubmitDocumentRequest,
  peer: Peer,
): Promise<SubmitDocumentResponse> {
  if (document === undefined)
    throw new HeadwaterError({ kind: "invalid", message: "document: it is missing" });
  const answer = await access.ask<{ outcome: string }>((call) => ({
    kind: "document-received",
    call,
    peer,
    document,
  }));
  return create(SubmitDocumentResponseSchema, { outcome: answer.outcome });
}

function answering<I, O extends ConfirmResponse | GiveBackResponse | SubmitDocumentResponse>(
  { log }: Options,
  answer: (request: I, peer: Peer) => Promise<O>,
): handleUnaryCall<I, O> {
  return (call, callback) => {
    answer(call.request, peerOf(call)).then(
      (response) => callback(null, response),
      (thrown: unknown) => {
        const { kind, message } = HeadwaterError.from(thrown);
        if (kind === "internal")
          log.write({ level: "error", event: "mesh-call-failed", message, cause: thrown });
        callback(callError(thrown));
      },
    );
  };
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

async function stop(of: {
  server: Server;
  listener: Listener;
  streams: ChildStreams;
}): Promise<void> {
  const { server, listener, streams } = of;
  const gone = listener.close();
  streams.closeAll(new HeadwaterError({ kind: "unavailable", message: "this node is stopping" }));
  server.tryShutdown(() => {});
  const deadline = setTimeout(() => listener.destroyConnections(), stopDeadlineMs);
  await gone;
  clearTimeout(deadline);
  server.forceShutdown();
}
