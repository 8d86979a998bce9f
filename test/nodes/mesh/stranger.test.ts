import dns from "node:dns";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createSecureServer, type ServerHttp2Stream } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net";
import { create } from "@bufbuild/protobuf";
import { Server as GrpcServer } from "@grpc/grpc-js";
import { expect, onTestFinished, test, vi } from "vitest";
import { ReplicateRequestSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { serverIdentity } from "../../../nodes/mesh/server-credentials.ts";
import { SiteAuthority } from "../../../nodes/mesh/site-certificate.ts";
import { pemOf } from "../../../nodes/mesh/tls.ts";
import { dialDeadlineMs } from "../../../relay/cadence.ts";
import { eventually, fakeTimeouts } from "./fake-node.ts";
import { frameNumber, openChild, siteSecret, upstream } from "./mesh-pair.ts";

const authority = new SiteAuthority(siteSecret);
const leaf = authority.issue([]);
const tls = { cert: pemOf(leaf.certificate), key: leaf.key };
const question = "is it the mesh address of a Headwater node?";

async function listening(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What a child is told that dials a stranger; `reached` is awaited before its patience ends. */
async function whyClosed(address: string, reached?: Promise<unknown>): Promise<string> {
  const child = openChild();
  child.client.dial({
    upstream,
    address,
    certificate: authority.certificate,
    credential: undefined,
    request: create(ReplicateRequestSchema),
  });
  if (reached !== undefined) {
    await reached;
    vi.advanceTimersByTime(dialDeadlineMs);
  }
  const { why } = await child.node.nth("upstream-closed");
  return why.replace(address, "STRANGER");
}

/** A server that is a site's to TLS and HTTP/2, and answers each call as given. */
function http2Server(answer: (stream: ServerHttp2Stream) => void): Server {
  const server = createSecureServer(tls);
  server.on("session", (session) => session.on("error", () => {}));
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    answer(stream);
  });
  return server;
}

const grpcHeaders = { ":status": 200, "content-type": "application/grpc" };

/** A message as gRPC frames it, not compressed. */
function framed(message: Uint8Array, length: number = message.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
}

test("nobody there", async () => {
  const server = createTcpServer();
  const address = await listening(server);
  server.close();
  expect(await whyClosed(address)).toBe("nothing listens at STRANGER (connection refused)");
});

test("an address that is none", async () => {
  expect(await whyClosed("nonsense")).toBe("can not dial STRANGER: it is not host:port");
});

test("a server that waits for the other side to begin", async () => {
  fakeTimeouts();
  const greeted = Promise.withResolvers<Socket>();
  const server = createTcpServer((socket) => {
    socket.on("error", () => {}).once("data", () => greeted.resolve(socket));
  });
  expect(await whyClosed(await listening(server), greeted.promise)).toBe(
    "STRANGER accepts connections but has not answered with TLS within 9 s",
  );
  const socket = await greeted.promise;
  await eventually(() => expect(socket.closed).toBe(true));
});

test("a server that hangs up", async () => {
  const server = createTcpServer((socket) => socket.destroy());
  expect(await whyClosed(await listening(server))).toBe(
    `STRANGER has closed the connection during the TLS handshake; ${question}`,
  );
});

test("a server of another protocol", async () => {
  const server = createTcpServer((socket) => socket.on("error", () => {}).end("SSH-2.0-Other\r\n"));
  expect(await whyClosed(await listening(server))).toBe(
    `STRANGER does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER); ${question}`,
  );
});

test("a web server without TLS", async () => {
  const server = createHttpServer((_, response) => response.end("hello"));
  expect(await whyClosed(await listening(server))).toContain("does not speak TLS");
});

test("a web server with TLS", async () => {
  const server = createHttpsServer(tls, (_, response) => response.end("hello"));
  expect(await whyClosed(await listening(server))).toBe(
    `STRANGER does not speak HTTP/2; ${question}`,
  );
});

test("a web server with HTTP/2", async () => {
  const server = http2Server((stream) => {
    stream.respond({ ":status": 404 });
    stream.end("not here");
  });
  expect(await whyClosed(await listening(server))).toBe(
    `STRANGER does not know the calls of Headwater; ${question}`,
  );
});

test("a gRPC server of another service", async () => {
  const { credentials } = serverIdentity({ tls: {}, siteSecret, addresses: [] });
  const server = new GrpcServer();
  const injector = server.createConnectionInjector(credentials);
  onTestFinished(() => server.forceShutdown());
  const address = await listening(createTcpServer((socket) => injector.injectConnection(socket)));
  expect(await whyClosed(address)).toBe(
    `STRANGER does not know the calls of Headwater; ${question}`,
  );
});

test.each([
  ["something else", framed(Uint8Array.of(0xff, 0xff, 0xff))],
  ["a frame without end", framed(new Uint8Array(8), 2 ** 30)],
])("a server that sends %s", async (_, bytes) => {
  const server = http2Server((stream) => {
    stream.respond(grpcHeaders);
    stream.write(bytes);
  });
  expect(await whyClosed(await listening(server))).toBe(
    `STRANGER has sent something that is no frame; ${question}`,
  );
});

test("a server that takes a call and says nothing", async () => {
  fakeTimeouts();
  const called = Promise.withResolvers<void>();
  const server = http2Server((stream) => {
    stream.respond(grpcHeaders);
    called.resolve();
  });
  expect(await whyClosed(await listening(server), called.promise)).toBe(
    `STRANGER has sent no frame within 9 s; ${question}`,
  );
});

test("a parent whose connection breaks", async () => {
  const server = http2Server((stream) => {
    stream.respond(grpcHeaders);
    stream.write(framed(frameNumber(1)), () => stream.session?.destroy());
  });
  expect(await whyClosed(await listening(server))).toBe("the connection to STRANGER was lost");
});

test("a parent that quotes what does not fit a line", async () => {
  const message = encodeURIComponent(`no\n\u001b[31m${"!".repeat(2_000)}`);
  const server = http2Server((stream) => {
    stream.respond(
      { ...grpcHeaders, "grpc-status": 14, "grpc-message": message },
      { endStream: true },
    );
  });
  const why = await whyClosed(await listening(server));
  expect(why).toMatch(/^the parent says: no \[31m!+$/);
  expect(why.length).toBeLessThan(600);
});

test("a name whose first address takes a call and says nothing: the next dial is to the other, which is kept", async () => {
  fakeTimeouts();
  const called: (() => void)[] = [];
  const silent = http2Server((stream) => {
    stream.respond(grpcHeaders);
    called.shift()?.();
  });
  const port = Number((await listening(silent)).split(":")[1]);
  const names: (string | false | null)[] = [];
  const good = createSecureServer({
    ...tls,
    SNICallback: (name, done) => done(null, void names.push(name)),
  });
  good.on("stream", (stream) => {
    stream.on("error", () => {});
    stream.respond(grpcHeaders);
    stream.write(framed(frameNumber(1)), () => stream.end());
  });
  good.listen(port, "127.0.0.2");
  await once(good, "listening");
  onTestFinished(() => void good.close());
  const found = ["127.0.0.1", "127.0.0.2"].map((address) => ({ address, family: 4 }));
  const asked = vi.spyOn(dns.promises, "lookup").mockResolvedValue(found as never);
  onTestFinished(() => asked.mockRestore());
  const child = openChild();
  const dial = (): void =>
    child.client.dial({
      upstream,
      address: `parent.example:${port}`,
      certificate: authority.certificate,
      credential: undefined,
      request: create(ReplicateRequestSchema),
    });
  const reached = new Promise<void>((resolve) => called.push(resolve));
  dial();
  await reached;
  vi.advanceTimersByTime(dialDeadlineMs);
  const { why } = await child.node.nth("upstream-closed");
  expect(why).toContain("has sent no frame within 9 s");
  for (const count of [1, 2]) {
    dial();
    await child.node.nth("upstream-frame", count);
    await child.node.nth("upstream-closed", 1 + count);
  }
  expect(names).toEqual(["parent.example", "parent.example"]);
});
