// Many nodes downstream, as far as the wire goes: each has a connection and an identity of its own,
// speaks the real protocol and is sent what a real node is sent. They keep nothing and check nothing,
// so that hundreds of them fit beside the node that is measured.
import { type ClientHttp2Session, connect } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { HeadSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import {
  ConfirmRequestSchema,
  MeshService,
  ReplicateRequestSchema,
  ReplicateResponseSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { protocolVersion } from "../../relay/link/protocol.ts";
import { DueCount } from "./due-count.ts";
import { GrpcMessages, grpcMessage } from "./grpc-messages.ts";
import { serveVerbs } from "./worker.ts";

interface Dial {
  /** `host:port` of a mesh port. */
  readonly address: string;
  /** The number of the first of them. */
  readonly first: number;
  readonly count: number;
  /** What a request carries: `Bearer …`. */
  readonly authorization: string;
  readonly project: string;
  /** Hex. */
  readonly authority: string;
  /** Whether each confirms what it has been sent, as real ones do. */
  readonly confirms: boolean;
}

/** A mesh takes so many connections of one address at once; each such group has one of its own. */
const perAddressCount = 100;

/** The field of a `ReplicateResponse` that holds a delta, as its bytes begin. */
const deltaTag = 7 * 8 + 2;

const deltas = new DueCount();
let lastDelta: Buffer = Buffer.alloc(0);

serveVerbs({
  dial: async (of: Dial): Promise<void> => {
    for (let n = of.first; n < of.first + of.count; n++) await dial(of, n);
  },
  hear: ({ dueCount }: { dueCount: number }): Promise<number> => deltas.hear(dueCount),
  /** Base64; one that was heard. */
  delta: (): string => lastDelta.toString("base64"),
});

/** Resolves with its first frame. */
async function dial(of: Dial, n: number): Promise<void> {
  const session = await openSession(of.address, n);
  const node = `node-${n}`;
  const ledger = { authority: Buffer.from(of.authority, "hex"), project: of.project };
  const request = create(ReplicateRequestSchema, {
    protocol: protocolVersion,
    site: "downstream",
    node,
    nodeId: Buffer.from(node),
    holdings: [{ ledger }],
  });
  const stream = call(session, of, MeshService.method.replicate.name);
  stream.end(grpcMessage(toBinary(ReplicateRequestSchema, request)));
  const messages = new GrpcMessages();
  await new Promise<void>((resolve, reject) => {
    stream.once("error", reject);
    stream.on("data", (chunk: Buffer) => {
      for (const message of messages.take(chunk)) {
        resolve();
        if (message[0] !== deltaTag) continue;
        lastDelta = message;
        deltas.add(1);
        if (of.confirms) confirm(session, of, { node, message });
      }
    });
  });
}

function confirm(
  session: ClientHttp2Session,
  of: Dial,
  { node, message }: { node: string; message: Buffer },
): void {
  const { frame } = fromBinary(ReplicateResponseSchema, message);
  const delta = frame.case === "delta" ? frame.value : undefined;
  const { ledger, position } = fromBinary(HeadSchema, delta?.head?.payload ?? new Uint8Array(0));
  const holdings = ledger && position ? [{ ledger, position }] : [];
  const request = create(ConfirmRequestSchema, { node, holdings });
  const stream = call(session, of, MeshService.method.confirm.name);
  stream.end(grpcMessage(toBinary(ConfirmRequestSchema, request)));
  stream.resume();
}

function call(
  session: ClientHttp2Session,
  { authorization }: Dial,
  method: string,
): ReturnType<ClientHttp2Session["request"]> {
  return session.request({
    ":method": "POST",
    ":path": `/${MeshService.typeName}/${method}`,
    "content-type": "application/grpc+proto",
    te: "trailers",
    ...(authorization !== "" && { authorization }),
  });
}

function openSession(address: string, n: number): Promise<ClientHttp2Session> {
  const [host = "", port] = address.split(":");
  const group = Math.floor(n / perAddressCount);
  return new Promise((resolve, reject) => {
    const localAddress = `127.0.1.${1 + group}`;
    const socket = connectTls({
      socket: connectTcp({ host, port: Number(port), localAddress, noDelay: true }),
      ALPNProtocols: ["h2"],
      // What it costs to check is not what is measured here.
      rejectUnauthorized: false,
    });
    socket.once("error", reject);
    const session = connect(`https://${address}`, { createConnection: () => socket });
    session.once("error", reject).once("connect", () => resolve(session));
  });
}
