// One process of a bare chain of grpc-js over TLS: what comes from above goes below as it is, and
// nothing is checked or worked out. It is kept where that is asked for: durable, and then passed on.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { StatementSync } from "node:sqlite";
import {
  ChannelCredentials,
  Client,
  Server,
  type ServerUnaryCall,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import { serverIdentity } from "../../nodes/mesh/server-credentials.ts";
import { openDatabase } from "../../nodes/store/database.ts";
import { Arrivals } from "./arrivals.ts";
import { serveVerbs } from "./worker.ts";

type Call = ServerWritableStream<Buffer, Buffer>;

const same = (bytes: Buffer): Buffer => bytes;
const codec = {
  requestStream: false,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};
const follow = { ...codec, path: "/bench.Chain/Follow", responseStream: true };
const change = { ...codec, path: "/bench.Chain/Change", responseStream: false };

const calls = new Set<Call>();
const arrivals = new Arrivals();
const { credentials } = serverIdentity({
  tls: {},
  siteSecret: new Uint8Array(32).fill(7),
  addresses: ["127.0.0.1:0"],
});
let head: Client | undefined;
/** One commit of SQLite, in a database as that of a node. */
let keep: StatementSync | undefined;

serveVerbs({
  /** `host:port`; with an upstream, downstream of that. */
  start: async (of: { upstream?: string; isDurable?: boolean }): Promise<string> => {
    const { upstream } = of;
    if (of.isDurable === true) keep = openKept();
    const server = new Server({ "grpc.enable_channelz": 0 });
    server.addService(
      { follow, change },
      {
        follow: (call: Call) => {
          calls.add(call);
          call.on("error", () => undefined).once("close", () => calls.delete(call));
        },
        change: (
          call: ServerUnaryCall<Buffer, Buffer>,
          answer: (error: null, bytes: Buffer) => void,
        ) => {
          hear(call.request);
          answer(null, Buffer.alloc(0));
        },
      },
    );
    if (upstream !== undefined)
      clientOf(upstream)
        .makeServerStreamRequest(follow.path, same, same, Buffer.alloc(0))
        .on("data", hear);
    return bind(server);
  },
  at: (of: { number: number }): number | undefined => arrivals.at(of),
  /** Has the chain that begins there hear of a number, in so many bytes. */
  change: (of: { address: string; number: number; bytesCount: number }): Promise<void> => {
    head ??= clientOf(of.address);
    const bytes = Buffer.alloc(of.bytesCount);
    bytes.writeUInt32BE(of.number);
    const client = head;
    return new Promise((resolve, reject) =>
      client.makeUnaryRequest(change.path, same, same, bytes, (error) =>
        error === null ? resolve() : reject(error),
      ),
    );
  },
});

function hear(bytes: Buffer): void {
  keep?.run(String(arrivals.highest), bytes);
  arrivals.add(bytes.readUInt32BE());
  for (const call of calls) call.write(bytes);
}

function openKept(): StatementSync {
  const directory = mkdtempSync(join(tmpdir(), "headwater-bench-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const put =
    "INSERT INTO record VALUES ('entry', ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value";
  return openDatabase(directory).prepare(put);
}

function clientOf(address: string): Client {
  const trusting = { rejectUnauthorized: false };
  return new Client(address, ChannelCredentials.createSsl(null, null, null, trusting));
}

function bind(server: Server): Promise<string> {
  return new Promise((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", credentials, (error, port) =>
      error === null ? resolve(`127.0.0.1:${port}`) : reject(error),
    ),
  );
}
