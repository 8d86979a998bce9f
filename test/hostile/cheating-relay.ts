import { once } from "node:events";
import { createServer, type Server as TcpServer } from "node:net";
import { create } from "@bufbuild/protobuf";
import { Server, type ServerUnaryCall, type ServerWritableStream } from "@grpc/grpc-js";
import {
  type ConfirmRequest,
  ConfirmResponseSchema,
  type JoinToken,
  JoinTokenSchema,
  MeshService,
  type ProjectPin,
  type ReplicateRequest,
  ReplicateRequestSchema,
  type ReplicateResponse,
  ReplicateResponseSchema,
  type SubmitDocumentRequest,
  SubmitDocumentResponseSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { serviceDefinition } from "../../nodes/mesh/codec.ts";
import { serverIdentity } from "../../nodes/mesh/server-credentials.ts";
import { UpstreamLink } from "../../nodes/mesh/upstream-link.ts";
import { ledgerNameOf } from "../../relay/link/frame-ledgers.ts";
import { encodeCredential, formatToken } from "../../relay/trust/join-token.ts";

export type Frame = ReplicateResponse["frame"];

/** What goes down in place of a frame from above. */
export type Alteration = (frame: Frame, relay: CheatingRelay) => readonly Frame[];

type Call = ServerWritableStream<ReplicateRequest, ReplicateResponse>;

export const honest: Alteration = (frame) => [frame];

/** Frames of the past that it can send once more. */
const memoryFramesMax = 1_000;

/**
 * A vendor's node that can be told to cheat. To its parent it is an honest child, to the nodes
 * below an honest parent: real gRPC, real TLS, real credentials, and every frame through its hands.
 */
export class CheatingRelay implements AsyncDisposable {
  readonly #parent: JoinToken;
  readonly #identity = serverIdentity({
    tls: {},
    siteSecret: new Uint8Array(32).fill(66),
    addresses: ["127.0.0.1"],
  });
  readonly #server = new Server({ "grpc.max_send_message_length": -1 });
  readonly #listener: TcpServer;
  readonly #streams = new Map<Call, UpstreamLink>();
  /** Frames from above, oldest first. */
  readonly heard: Frame[] = [];
  alter: Alteration = honest;
  /** What it serves of itself, to whoever opens a link or asks anew. */
  own: () => readonly Frame[] = () => [];

  private constructor(parent: JoinToken) {
    this.#parent = parent;
    this.#server.addService(serviceDefinition(MeshService), {
      replicate: (call: Call) => this.#replicate(call),
      confirm: (call: ServerUnaryCall<ConfirmRequest, unknown>, answer: Answer) => {
        for (const link of this.#streams.values()) void link.confirm(call.request);
        if (call.request.again.length > 0) for (const frame of this.own()) this.send(frame);
        answer(null, create(ConfirmResponseSchema));
      },
      submitDocument: (call: ServerUnaryCall<SubmitDocumentRequest, unknown>, answer: Answer) =>
        void this.#submit(call.request).then((outcome) =>
          answer(null, create(SubmitDocumentResponseSchema, { outcome })),
        ),
    });
    const injector = this.#server.createConnectionInjector(this.#identity.credentials);
    this.#listener = createServer((socket) => {
      socket.on("error", () => {});
      injector.injectConnection(socket);
    });
  }

  /** `parent` is the token that its parent gave it. */
  static async start(parent: JoinToken): Promise<CheatingRelay> {
    const relay = new CheatingRelay(parent);
    relay.#listener.listen(0, "127.0.0.1");
    await once(relay.#listener, "listening");
    return relay;
  }

  /** What its parent's token pins. */
  get pins(): readonly ProjectPin[] {
    return this.#parent.pins;
  }

  /** What a node joins it with. */
  tokenWith(pins: readonly ProjectPin[]): string {
    const bound = this.#listener.address();
    if (bound === null || typeof bound === "string") throw new Error("it does not listen");
    return formatToken(
      create(JoinTokenSchema, {
        addresses: [`127.0.0.1:${bound.port}`],
        certificate: this.#identity.pin,
        site: "relay",
        pins: [...pins],
        ...(this.#parent.credential && { credential: this.#parent.credential }),
      }),
    );
  }

  /** To every node below, now. */
  send(frame: Frame): void {
    for (const call of this.#streams.keys()) write(call, frame);
  }

  /** The last frame from above of a kind, about a project. */
  last<K extends Frame["case"]>(kind: K, project: string): Extract<Frame, { case: K }> {
    const found = this.heard.findLast(
      (frame) => frame.case === kind && projectOf(frame) === project,
    );
    if (found === undefined) throw new Error(`no ${kind} of ${project} has come by`);
    return found as Extract<Frame, { case: K }>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of this.#streams.values()) link.end();
    this.#server.forceShutdown();
    this.#listener.close();
    await Promise.resolve();
  }

  #replicate(call: Call): void {
    const { addresses, certificate, credential } = this.#parent;
    const served = new Set(this.#parent.pins.map(({ project }) => project));
    const holdings = call.request.holdings.filter(({ ledger }) =>
      served.has(ledger?.project ?? ""),
    );
    const link = new UpstreamLink({
      dial: {
        upstream: "parent",
        address: addresses[0] ?? "",
        certificate,
        credential: credential && encodeCredential(credential),
        request: create(ReplicateRequestSchema, { ...call.request, holdings }),
      },
      tls: {},
      listener: { frame: ({ frame }) => this.#pass(call, frame), closed: () => call.end() },
    });
    this.#streams.set(call, link);
    for (const event of ["cancelled", "close", "error"])
      call.on(event, () => {
        link.end();
        this.#streams.delete(call);
      });
  }

  /** Documents go up untouched. */
  async #submit({ document }: SubmitDocumentRequest): Promise<string> {
    const [link] = this.#streams.values();
    if (link === undefined || document === undefined) return "ACCEPTED";
    return link.submit(document);
  }

  #pass(call: Call, frame: Frame): void {
    this.heard.push(copyOf(frame));
    if (this.heard.length > memoryFramesMax) this.heard.shift();
    for (const one of this.alter(copyOf(frame), this)) write(call, one);
    if (frame.case === "welcome") for (const one of this.own()) write(call, one);
  }
}

type Answer = (error: null, response: unknown) => void;

function write(call: Call, frame: Frame): void {
  const message = create(ReplicateResponseSchema);
  message.frame = frame;
  call.write(message);
}

/** Alterations may write into what they get. */
export function copyOf(frame: Frame): Frame {
  return structuredClone(frame);
}

/** The project that a frame is about; of a heartbeat the first of its beats'. */
export function projectOf(frame: Frame): string | undefined {
  if (frame.case === "heartbeat") return frame.value.beats[0]?.ledger?.project;
  const ledger = frame.case === "offer" ? frame.value.ledger : ledgerNameOf(frame);
  return ledger?.project;
}
