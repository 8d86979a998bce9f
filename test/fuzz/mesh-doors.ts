import { once } from "node:events";
import { createConnection, createServer, type Socket } from "node:net";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { create, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import {
  ConfirmRequestSchema,
  type JoinToken,
  ReplicateRequestSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { openAdminClient } from "../../nodes/cli/admin-client.ts";
import { pemOf } from "../../nodes/mesh/tls.ts";
import {
  meshDialsBurstMax,
  meshDialsPerSecondMax,
  meshDialsTotalBurstMax,
  meshDialsTotalPerSecondMax,
} from "../../relay/limits.ts";
import type { Random } from "../../relay/random.ts";
import { RateLimit } from "../../relay/rate-limit.ts";
import { encodeCredential, parseToken } from "../../relay/trust/join-token.ts";
import type { NodeProcess } from "../../scripts/demo/node-process.ts";
import { type Answer, answerMsMax, type Door } from "./door.ts";
import { rawHttp2 } from "./door-requests.ts";
import { mutate } from "./mutator.ts";
import { textBytes } from "./target.ts";

const seeds = {
  Confirm: toBinary(ConfirmRequestSchema, create(ConfirmRequestSchema, { node: "c1" })),
  Replicate: toBinary(
    ReplicateRequestSchema,
    create(ReplicateRequestSchema, { protocol: 2, node: "c1", nodeId: new Uint8Array(8) }),
  ),
  GiveBack: new Uint8Array(0),
  SubmitDocument: toBinary(ConfirmRequestSchema, create(ConfirmRequestSchema, { node: "x" })),
};
const methods = Object.keys(seeds) as (keyof typeof seeds)[];

const pathOf = (method: string): string => `/headwater.v1.MeshService/${method}`;

/** Every way to speak to the port for nodes below: calls, frames of HTTP/2, and no TLS at all. */
export async function openMeshDoors(
  node: NodeProcess,
): Promise<{ readonly doors: readonly Door[] } & Disposable> {
  const { token } = await openAdminClient(node.operatorEnv).nodes.addChild({ name: "below" });
  const parsed = parseToken(token);
  if (!parsed.ok) throw new Error(parsed.refusal.message);
  const authorization = authorizationOf(parsed.value);
  const pem = Buffer.from(pemOf(parsed.value.certificate));
  const client = new Client(node.mesh, credentials.createSsl(pem));
  const strangers = new Strangers(node.mesh);
  return {
    doors: [
      callsDoor(client, authorization),
      framesDoor(strangers, authorization),
      await connectionsDoor(strangers),
    ],
    [Symbol.dispose]: () => client.close(),
  };
}

function authorizationOf({ credential }: JoinToken): string {
  return `Bearer ${Buffer.from(encodeCredential(credential!)).toString("base64url")}`;
}

/** Calls of nodes below, with a credential that is right; most are turned away by their rate. */
function callsDoor(client: Client, authorization: string): Door {
  const metadata = new Metadata();
  metadata.set("authorization", authorization);
  const attempt = (random: Random) => {
    const method = methods[random.below(methods.length)]!;
    const input = mutate({ form: "wire", input: seeds[method], other: seeds.Replicate, random });
    return { input, answer: call({ client, path: pathOf(method), input, metadata }) };
  };
  return { name: "mesh port: calls", share: 0.02, attempt };
}

function call(of: {
  client: Client;
  path: string;
  input: Uint8Array;
  metadata: Metadata;
}): Promise<Answer> {
  const bytes = (value: Buffer): Buffer => value;
  const deadline = Date.now() + answerMsMax;
  return new Promise((resolve, reject) => {
    const { client, path, input, metadata } = of;
    const stream = client.makeServerStreamRequest(
      path,
      bytes,
      bytes,
      Buffer.from(input),
      metadata,
      { deadline },
    );
    stream.once("data", () => {
      resolve("ok");
      stream.cancel();
    });
    stream.once("end", () => resolve("ok"));
    stream.once("error", (error: Error & { code?: number }) => {
      const isOurs = error.code === status.INTERNAL || error.code === status.UNKNOWN;
      const isDecoding = /deserializ|parse|decod|illegal|premature|invalid wire|cant skip/i.test(
        error.message,
      );
      if (isOurs && !isDecoding) reject(error);
      else resolve(error.code === status.UNAVAILABLE ? "closed" : "refused");
    });
  });
}

/** Frames that are none, within TLS that is right. */
function framesDoor(strangers: Strangers, authorization: string): Door {
  const inputs = methods.map((method) =>
    rawHttp2({ path: pathOf(method), headers: { authorization }, message: seeds[method] }),
  );
  const answer = async (input: Uint8Array): Promise<Answer> => {
    const socket = await strangers.dial();
    const secure = connectTls({ socket, ALPNProtocols: ["h2"], rejectUnauthorized: false });
    const types = frameTypesIn(await heardAfter(secure, input));
    if (types.has(frameType.data)) return "ok";
    return refusals.some((type) => types.has(type)) ? "refused" : "closed";
  };
  return rawDoor({ name: "mesh port: frames", inputs, answer });
}

/** RFC 9113, 6. A refusal of gRPC is headers alone. */
const frameType = { data: 0, headers: 1, reset: 3, goAway: 7 };
const refusals = [frameType.headers, frameType.reset, frameType.goAway];

function frameTypesIn(bytes: Buffer): Set<number> {
  const types = new Set<number>();
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3))
    types.add(bytes[at + 3] ?? 0);
  return types;
}

/** Bytes that are no TLS, or nearly. */
async function connectionsDoor(strangers: Strangers): Promise<Door> {
  const inputs = [
    await clientHello(),
    rawHttp2(),
    textBytes("GET / HTTP/1.1\r\nhost: node\r\n\r\n"),
  ];
  const answer = async (input: Uint8Array): Promise<Answer> => {
    const [kind] = await heardAfter(await strangers.dial(), input);
    if (kind === recordKind.handshake) return "ok";
    return kind === recordKind.alert ? "refused" : "closed";
  };
  return rawDoor({ name: "mesh port: connections", inputs, answer });
}

/** RFC 8446, 5.1. */
const recordKind = { alert: 21, handshake: 22 };

function rawDoor(of: {
  name: string;
  inputs: readonly Uint8Array[];
  answer: (input: Uint8Array) => Promise<Answer>;
}): Door {
  const { name, inputs, answer } = of;
  const attempt = (random: Random) => {
    const [input, other] = [0, 1].map(() => inputs[random.below(inputs.length)]!);
    const mutant = mutate({ form: "bytes", input: input!, other: other!, random });
    return { input: mutant, answer: answer(mutant) };
  };
  return { name, share: 0.02, attempt };
}

/** What a TLS client says first. */
async function clientHello(): Promise<Uint8Array> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address() as { port: number };
  const client = connectTls({ ...address, host: "127.0.0.1", ALPNProtocols: ["h2"] });
  client.on("error", () => undefined);
  const [socket] = (await once(server, "connection")) as [Socket];
  const [hello] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return new Uint8Array(hello);
}

/** All that is heard until the connection is closed, having said one thing with nothing to follow. */
function heardAfter(socket: Socket, input: Uint8Array): Promise<Buffer> {
  return new Promise((resolve) => {
    const heard: Buffer[] = [];
    socket.on("error", () => undefined);
    socket.on("data", (data: Buffer) => heard.push(data));
    socket.once("close", () => resolve(Buffer.concat(heard)));
    socket.end(input);
  });
}

/**
 * Connections from several addresses of this machine, so many that a node takes them all: what is
 * turned away unread tries nothing. Only Linux has all of 127.0.0.0/8.
 */
class Strangers {
  readonly #address: string;
  readonly #sources: readonly string[] =
    process.platform === "linux"
      ? Array.from({ length: 16 }, (_, n) => `127.0.7.${n + 1}`)
      : ["127.0.0.1"];
  readonly #rate: RateLimit;
  #dialsCount = 0;

  constructor(address: string) {
    this.#address = address;
    const count = this.#sources.length;
    this.#rate = new RateLimit({
      burst: 0.5 * Math.min(meshDialsTotalBurstMax, count * meshDialsBurstMax),
      perSecond: 0.8 * Math.min(meshDialsTotalPerSecondMax, count * meshDialsPerSecondMax),
    });
  }

  async dial(): Promise<Socket> {
    while (!this.#rate.take("", performance.now())) await pause(10);
    const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(this.#address) ?? [];
    const localAddress = this.#sources[this.#dialsCount++ % this.#sources.length]!;
    return createConnection({ host, port: Number(port), localAddress });
  }
}
