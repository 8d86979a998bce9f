// One process of a bare chain of grpc-js over TLS: what comes from above goes below as it is, and
// nothing is checked or worked out. It is kept where that is asked for: durable, and then passed on.
import {
  ChannelCredentials,
  Client,
  Server,
  type ServerUnaryCall,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import { serverIdentity } from "../../nodes/mesh/server-credentials.ts";
import { openStore, type Store } from "../../nodes/store/store.ts";
import { Arrivals } from "./arrivals.ts";
import { scratchDirectory } from "./scratch.ts";
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
/** Where what passes is made durable first: a store like a node's. */
let kept: Store | undefined;

serveVerbs({
  /** `host:port`; with an upstream, downstream of that. */
  start: async (of: { upstream?: string; isDurable?: boolean }): Promise<string> => {
    const { upstream } = of;
    if (of.isDurable === true) kept = openStore({ directory: scratchDirectory() });
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
  kept?.write([{ bucket: "entry", key: String(arrivals.highest), value: bytes }]);
  arrivals.add(bytes.readUInt32BE());
  for (const call of calls) call.write(bytes);
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
