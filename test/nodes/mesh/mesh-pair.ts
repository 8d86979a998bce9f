import { type ClientHttp2Session, connect } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { onTestFinished } from "vitest";
import {
  ReplicateRequestSchema,
  type ReplicateResponse,
  ReplicateResponseSchema,
} from "../../../gen/headwater/v1/mesh_pb.ts";
import { type MeshClient, openMeshClient } from "../../../nodes/mesh/client.ts";
import { type MeshServer, openMeshServer } from "../../../nodes/mesh/server.ts";
import { type ServerIdentity, serverIdentity } from "../../../nodes/mesh/server-credentials.ts";
import { pemOf, type Tls } from "../../../nodes/mesh/tls.ts";
import type { Dial, LogEntry } from "../../../relay/effect.ts";
import { FakeNode } from "./fake-node.ts";

export const siteSecret: Uint8Array = new Uint8Array(32).fill(7);
export const upstream = "headwaters";

export interface Parent {
  readonly node: FakeNode;
  readonly server: MeshServer;
  readonly identity: ServerIdentity;
  readonly logged: LogEntry[];
  /** Stops it. */
  abort(): void;
}

/** A parent that listens on a free port until the test has finished. */
export async function openParent(
  options: Partial<Parameters<typeof openMeshServer>[0]> & { readonly tls?: Tls } = {},
): Promise<Parent> {
  const node = new FakeNode();
  const logged: LogEntry[] = [];
  const controller = new AbortController();
  const { tls = {}, ...rest } = options;
  const identity = serverIdentity({ tls, siteSecret, addresses: [] });
  const server = await openMeshServer({
    access: node,
    address: "127.0.0.1:0",
    credentials: identity.credentials,
    log: { write: (entry) => logged.push(entry) },
    signal: controller.signal,
    ...rest,
  });
  onTestFinished(async () => {
    controller.abort();
    await server.stopped;
  });
  return { node, server, identity, logged, abort: () => controller.abort() };
}

export interface Child {
  readonly node: FakeNode;
  readonly client: MeshClient;
  abort(): void;
}

/** A child whose links end with the test. */
export function openChild(tls: Tls = {}): Child {
  const node = new FakeNode();
  const controller = new AbortController();
  const { signal } = controller;
  const client = openMeshClient({ access: node, tls, signal });
  onTestFinished(() => controller.abort());
  return { node, client, abort: () => controller.abort() };
}

export function dialTo(parent: Parent, changes: Partial<Dial> = {}): Dial {
  return {
    upstream,
    address: parent.server.address,
    certificate: parent.identity.pin,
    credential: undefined,
    request: create(ReplicateRequestSchema, { protocol: 1, site: "acme", node: "a" }),
    ...changes,
  };
}

/** The nth frame of a parent, which says so. */
export function frameNumber(number: number): Uint8Array {
  return toBinary(
    ReplicateResponseSchema,
    create(ReplicateResponseSchema, {
      frame: { case: "snapshotChunk", value: { index: number } },
    }),
  );
}

export function indexOf({ frame }: ReplicateResponse): number | undefined {
  return frame.case === "snapshotChunk" ? frame.value.index : undefined;
}

/** Calls `Replicate` and never lets the parent send a single byte of a frame. */
export function callStalled(parent: Parent): ClientHttp2Session {
  const session = connect(`https://${parent.server.address}`, {
    ca: pemOf(parent.identity.pin),
    settings: { initialWindowSize: 0 },
  });
  const stream = session.request({
    ":method": "POST",
    ":path": "/headwater.v1.MeshService/Replicate",
    "content-type": "application/grpc",
    te: "trailers",
  });
  for (const emitter of [session, stream]) emitter.on("error", () => {});
  // An empty message: not compressed, of no bytes.
  stream.end(Buffer.alloc(5));
  return session;
}

/** Resolves once it has closed, by a reset as well: whoever is cut off may hear of either. */
export function closing(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => session.once("close", resolve));
}
