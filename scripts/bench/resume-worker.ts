// Who was away and comes back: an app to the apps' port, or a node to the mesh port, with the position
// of what it holds or with nothing. It hears until it has the state of now, and leaves.
import { request } from "node:http";
import { connect } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { WatchRequestSchema, WatchResponseSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { type Envelope, HeadSchema, type Position } from "../../gen/headwater/v1/ledger_pb.ts";
import {
  MeshService,
  ReplicateRequestSchema,
  type ReplicateResponse,
  ReplicateResponseSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { envelope } from "../../nodes/http/connect-envelope.ts";
import { protocolVersion } from "../../relay/link/protocol.ts";
import { extendTrust, trustDigest } from "../../relay/trust/trusted.ts";
import { project } from "./bench-root.ts";
import type { ChildDial } from "./child-dial.ts";
import { GrpcMessages, grpcMessage } from "./grpc-messages.ts";
import { serveVerbs } from "./worker.ts";

/** What it took to have the state of now. */
export interface Resumed {
  /** From dialling to the last frame of it. */
  readonly ms: number;
  readonly bytes: number;
}

/** Of the flags that the app has. */
let held: Uint8Array = new Uint8Array(0);
/** Of the ledger that the node has, with the digest of what it trusts. */
let position: Position | undefined;
let trusted: Uint8Array = new Uint8Array(0);

serveVerbs({
  app: (of: { address: string; isNew: boolean }): Promise<Resumed> => resumeApp(of),
  node: (of: ChildDial & { isNew: boolean }): Promise<Resumed> => resumeNode(of),
});

/** All bytes of the answer count, its head too. */
function resumeApp(of: { address: string; isNew: boolean }): Promise<Resumed> {
  const begunMs = performance.now();
  const [host, port] = of.address.split(":");
  const watch = create(WatchRequestSchema, {
    project,
    position: of.isNew ? new Uint8Array(0) : held,
  });
  const messages = new GrpcMessages();
  return new Promise((resolve, reject) => {
    const call = request({
      host,
      port,
      path: "/headwater.v1.FlagService/Watch",
      method: "POST",
      headers: { "content-type": "application/connect+proto" },
      agent: false,
    });
    call.once("error", reject).once("response", (response) => {
      response.on("data", (chunk: Buffer) => {
        for (const message of messages.take(chunk)) {
          const { frame } = fromBinary(WatchResponseSchema, message);
          if (frame.case !== "table" && frame.case !== "delta") continue;
          held = frame.value.position;
          resolve({ ms: performance.now() - begunMs, bytes: response.socket.bytesRead });
          call.destroy();
        }
      });
    });
    call.end(envelope(toBinary(WatchRequestSchema, watch)));
  });
}

/** The messages count, each with what gRPC has before it. */
function resumeNode(of: ChildDial & { isNew: boolean }): Promise<Resumed> {
  const begunMs = performance.now();
  const ledger = { authority: Buffer.from(of.authority, "hex"), project };
  const holding =
    of.isNew || position === undefined ? { ledger } : { ledger, position, trustDigest: trusted };
  const replicate = create(ReplicateRequestSchema, {
    protocol: protocolVersion,
    site: "downstream",
    node: of.isNew ? "new" : "known",
    nodeId: Buffer.from(of.isNew ? "new" : "known"),
    holdings: [holding],
  });
  const messages = new GrpcMessages();
  // What it costs to check is not what is measured here.
  const session = connect(`https://${of.address}`, { rejectUnauthorized: false });
  const stream = session.request({
    ":method": "POST",
    ":path": `/${MeshService.typeName}/${MeshService.method.replicate.name}`,
    "content-type": "application/grpc+proto",
    te: "trailers",
    authorization: of.authorization,
  });
  stream.end(grpcMessage(toBinary(ReplicateRequestSchema, replicate)));
  let bytes = 0;
  return new Promise((resolve, reject) => {
    session.once("error", reject);
    stream.once("error", reject).on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      for (const message of messages.take(chunk)) {
        if (!hasNow(fromBinary(ReplicateResponseSchema, message))) continue;
        resolve({ ms: performance.now() - begunMs, bytes });
        session.destroy();
      }
    });
  });
}

/** Notes what a frame brings; whether it is the last that leads to the state of now. */
function hasNow({ frame }: ReplicateResponse): boolean {
  if (frame.case === "trustUpdate") {
    const { ledger, trust } = frame.value;
    const opened = ledger && trust && extendTrust(ledger, undefined, trust);
    if (opened?.ok === true) trusted = trustDigest(opened.value);
  }
  if (frame.case === "snapshotBegin" || frame.case === "delta")
    position = positionOf(frame.value.head);
  return frame.case === "snapshotEnd" || frame.case === "delta";
}

function positionOf(head: Envelope | undefined): Position | undefined {
  return fromBinary(HeadSchema, head?.payload ?? new Uint8Array(0)).position;
}
