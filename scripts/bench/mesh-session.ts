import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { create, toBinary } from "@bufbuild/protobuf";
import type { Position } from "../../gen/headwater/v1/ledger_pb.ts";
import { MeshService, ReplicateRequestSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { secondMs } from "../../relay/cadence.ts";
import { meshDialsPerSecondMax, meshDialsTotalPerSecondMax } from "../../relay/limits.ts";
import { protocolVersion } from "../../relay/link/protocol.ts";
import type { ChildDial } from "./child-dial.ts";
import { grpcMessage } from "./grpc-messages.ts";

/**
 * So many share an address, as at a site. A mesh bounds what comes from one: of a hundred that confirm
 * each change it turned most calls away, which no confirmation costs.
 */
const perAddressCount = 20;

/** As many nodes at most come again at once. */
const nodesMax = 500;

/** After it all of them may come again: a node lets only so many in each second. */
export const dialsPauseMs =
  secondMs *
  (1 + Math.max(perAddressCount / meshDialsPerSecondMax, nodesMax / meshDialsTotalPerSecondMax));

/** The fields of a `ReplicateResponse` that hold these, as its bytes begin. */
const chunkTag = 5 * 8 + 2;
const deltaTag = 7 * 8 + 2;

export function isDelta(message: Buffer): boolean {
  return message[0] === deltaTag;
}

export function isSnapshotChunk(message: Buffer): boolean {
  return message[0] === chunkTag;
}

/** The connection of the nth of many nodes to a mesh port, `host:port`. */
export function openMeshSession(address: string, n: number): Promise<ClientHttp2Session> {
  const [host = "", port] = address.split(":");
  const group = Math.floor(n / perAddressCount);
  return new Promise((resolve, reject) => {
    const localAddress = `127.0.1.${1 + group}`;
    const tcp = connectTcp({ host, port: Number(port), localAddress, noDelay: true });
    const socket = connectTls({
      socket: tcp.once("error", reject),
      ALPNProtocols: ["h2"],
      // What it costs to check is not what is measured here.
      rejectUnauthorized: false,
    });
    socket.once("error", reject).once("close", () => reject(new Error("was not let in")));
    const session = connect(`https://${address}`, { createConnection: () => socket });
    session.once("error", reject).once("connect", () => resolve(session));
  });
}

/** A call of the mesh, its request to be written. */
export function meshCall(
  session: ClientHttp2Session,
  authorization: string,
  method: string,
): ClientHttp2Stream {
  return session.request({
    ":method": "POST",
    ":path": `/${MeshService.typeName}/${method}`,
    "content-type": "application/grpc+proto",
    te: "trailers",
    ...(authorization !== "" && { authorization }),
  });
}

/** Asks for a project's ledger from a position on, in the name of the nth node. */
export function replicate(
  session: ClientHttp2Session,
  of: ChildDial & { readonly project: string; readonly n: number; readonly position?: Position },
): ClientHttp2Stream {
  const node = nodeName(of.n);
  const ledger = { authority: Buffer.from(of.authority, "hex"), project: of.project };
  const request = create(ReplicateRequestSchema, {
    protocol: protocolVersion,
    site: "downstream",
    node,
    nodeId: Buffer.from(node),
    holdings: [{ ledger, ...(of.position && { position: of.position }) }],
  });
  const stream = meshCall(session, of.authorization, MeshService.method.replicate.name);
  stream.end(grpcMessage(toBinary(ReplicateRequestSchema, request)));
  return stream;
}

export function nodeName(n: number): string {
  return `node-${n}`;
}
