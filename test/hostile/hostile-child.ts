import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type JoinToken,
  ReplicateRequestSchema,
  type ReplicateResponse,
  ReplicateResponseSchema,
  SubmitDocumentRequestSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { pemOf } from "../../nodes/mesh/tls.ts";
import { encodeCredential } from "../../relay/trust/join-token.ts";

/** The other half of a loopback network: addresses that honest children do not call from. */
export function hostileAddress(n: number): string {
  return `127.66.0.${n}`;
}

/** A child that speaks HTTP/2 by hand, so that it can do what no honest one would. */
export class HostileChild implements Disposable {
  readonly session: ClientHttp2Session;
  readonly #token: JoinToken;
  readonly #isForged: boolean;

  constructor(
    token: JoinToken,
    of: { readonly from: string; readonly windowBytes?: number; readonly isForged?: boolean },
  ) {
    this.#token = token;
    this.#isForged = of.isForged === true;
    const address = token.addresses[0] ?? "";
    this.session = connect(`https://${address}`, {
      createConnection: () => rawConnection(token, of.from),
      settings: of.windowBytes === undefined ? {} : { initialWindowSize: of.windowBytes },
    });
    this.session.on("error", () => {});
  }

  /** Asks for everything that its token names, as a node of some name. */
  replicate(node: string, of: { readonly nodeId?: number } = {}): ClientHttp2Stream {
    const holdings = this.#token.pins.map(({ project, authority }) => ({
      ledger: { project, authority },
    }));
    const request = create(ReplicateRequestSchema, {
      protocol: 1,
      node,
      nodeId: new Uint8Array(8).fill(of.nodeId ?? 1),
      holdings,
    });
    return this.call("Replicate", toBinary(ReplicateRequestSchema, request));
  }

  /** The same small document of no project, again and again. */
  document(): ClientHttp2Stream {
    const document = { project: "nothing", kind: "WEIGHTS" };
    const request = create(SubmitDocumentRequestSchema, { document });
    return this.call("SubmitDocument", toBinary(SubmitDocumentRequestSchema, request));
  }

  call(
    method: string,
    message: Uint8Array,
    headers: Record<string, string> = {},
  ): ClientHttp2Stream {
    const { credential } = this.#token;
    const bearer = credential === undefined ? new Uint8Array(0) : encodeCredential(credential);
    if (this.#isForged) bearer[bearer.length - 1] = (bearer.at(-1) ?? 0) ^ 1;
    const stream = this.session.request({
      ":method": "POST",
      ":path": `/headwater.v1.MeshService/${method}`,
      "content-type": "application/grpc",
      te: "trailers",
      authorization: `Bearer ${Buffer.from(bearer).toString("base64url")}`,
      ...headers,
    });
    stream.on("error", () => {});
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([head, message]));
    return stream;
  }

  [Symbol.dispose](): void {
    this.session.destroy();
  }
}

/** A connection that says nothing. */
export class PlainConnection implements Disposable {
  isClosed = false;
  readonly #socket: Socket;

  constructor(token: JoinToken, from: string) {
    const [host = "", port = ""] = (token.addresses[0] ?? "").split(":");
    this.#socket = connectTcp({ host, port: Number(port), localAddress: from });
    this.#socket.on("error", () => {});
    this.#socket.once("close", () => {
      this.isClosed = true;
    });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

function rawConnection(token: JoinToken, from: string): TLSSocket {
  const [host = "", port = ""] = (token.addresses[0] ?? "").split(":");
  const options = {
    host,
    port: Number(port),
    localAddress: from,
    ca: pemOf(token.certificate),
    ALPNProtocols: ["h2"],
    checkServerIdentity: () => undefined,
  };
  const socket = connectTls(options);
  socket.on("error", () => {});
  return socket;
}

/** How a call ends: its gRPC status, or the goodbye before it. */
export async function endOf(stream: ClientHttp2Stream): Promise<string> {
  const parts: Buffer[] = [];
  let status = "";
  const take = (headers: IncomingHttpHeaders): void => {
    const code = headers["grpc-status"];
    if (code !== undefined) status = `grpc-status ${code.toString()}`;
  };
  stream.on("response", take).on("trailers", take);
  stream.on("data", (data: Buffer) => parts.push(data));
  await new Promise((resolve) => stream.once("close", resolve));
  const goodbye = framesIn(Buffer.concat(parts)).find(({ frame }) => frame.case === "goodbye");
  if (goodbye?.frame.case !== "goodbye") return status;
  const { reason, message } = goodbye.frame.value;
  return message === "" ? reason : `${reason} ${message}`;
}

/** The messages of a gRPC body, as far as they are whole. */
function framesIn(body: Buffer): ReplicateResponse[] {
  const frames: ReplicateResponse[] = [];
  for (let at = 0; at + 5 <= body.length; ) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    if (end > body.length) break;
    const frame = decoded(new Uint8Array(body.subarray(at + 5, end)));
    if (frame !== undefined) frames.push(frame);
    at = end;
  }
  return frames;
}

/** Undefined for the message of another call. */
function decoded(bytes: Uint8Array): ReplicateResponse | undefined {
  try {
    return fromBinary(ReplicateResponseSchema, bytes);
  } catch {
    return undefined;
  }
}

/** The HTTP/2 connection preface and an empty SETTINGS frame (RFC 9113, 3.4). */
const preface = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/** A PING frame (RFC 9113, 6.7). */
const ping = Buffer.concat([Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0]), Buffer.alloc(8, 7)]);

/** HEADERS of a request, each for a stream of its own, and its RST_STREAM at once. */
function resetStream(id: number): Buffer {
  const stream = Buffer.alloc(4);
  stream.writeUInt32BE(id);
  // `:method: POST`, `:scheme: https`, `:path: /`, from the static table of HPACK.
  const block = Buffer.from([0x83, 0x87, 0x84]);
  const headers = Buffer.concat([Buffer.from([0, 0, block.length, 1, 5]), stream, block]);
  const code = Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL]);
  return Buffer.concat([headers, Buffer.from([0, 0, 4, 3, 0]), stream, code]);
}

/** HEADERS that never end: each CONTINUATION adds a field. */
function endlessHeaders(first: boolean): Buffer {
  const field = Buffer.concat([Buffer.from([0, 4]), Buffer.from("x-yz"), Buffer.from([100])]);
  const block = Buffer.concat(
    Array.from({ length: 100 }, () => Buffer.concat([field, Buffer.alloc(100, 97)])),
  );
  const head = Buffer.alloc(9);
  head.writeUIntBE(block.length, 0, 3);
  head[3] = first ? 1 : 9;
  head.writeUInt32BE(1, 5);
  return Buffer.concat([head, block]);
}

export type Flood = "pings" | "streams" | "headers" | "garbage";

/** Sends as fast as the parent takes it until the parent has enough; whether it had. */
export async function flood(
  token: JoinToken,
  of: { readonly kind: Flood; readonly from: string; readonly forMs: number },
): Promise<boolean> {
  const { kind, from, forMs } = of;
  const socket = rawConnection(token, from);
  await once(socket, "secureConnect");
  const closed = new Promise<boolean>((resolve) => socket.once("close", () => resolve(true)));
  socket.resume();
  socket.write(preface);
  const endMs = performance.now() + forMs;
  let sent = 0;
  while (!socket.destroyed && performance.now() < endMs) {
    const bytes = Buffer.concat(Array.from({ length: 500 }, () => frameOf(kind, sent++)));
    const drained = new Promise((resolve) => socket.once("drain", resolve));
    if (!socket.write(bytes)) await Promise.race([drained, closed]);
  }
  const wasEnded = socket.destroyed || (await Promise.race([closed, Promise.resolve(false)]));
  socket.destroy();
  return wasEnded;
}

function frameOf(kind: Flood, sent: number): Buffer {
  switch (kind) {
    case "pings":
      return ping;
    case "streams":
      return resetStream(2 * sent + 1);
    case "headers":
      return endlessHeaders(sent === 0);
    case "garbage":
      return Buffer.alloc(64, sent);
  }
}
