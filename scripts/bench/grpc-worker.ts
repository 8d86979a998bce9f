// The floor of a fan-out to nodes: a server of grpc-js over TLS that writes bytes which are ready to
// every stream, and answers what it is told at once.

import { create } from "@bufbuild/protobuf";
import { Server, type ServerCredentials, type ServerWritableStream } from "@grpc/grpc-js";
import {
  ConfirmResponseSchema,
  MeshService,
  type ReplicateRequest,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { serviceDefinition } from "../../nodes/mesh/codec.ts";
import { serverIdentity } from "../../nodes/mesh/server-credentials.ts";
import { serveVerbs } from "./worker.ts";

type Call = ServerWritableStream<ReplicateRequest, Uint8Array>;

const calls = new Set<Call>();
const server = new Server({ "grpc.enable_channelz": 0 });
const confirmed = create(ConfirmResponseSchema);
const credentials: ServerCredentials = serverIdentity({
  tls: {},
  siteSecret: new Uint8Array(32).fill(7),
  addresses: ["127.0.0.1:0"],
}).credentials;
let ready: Buffer = Buffer.alloc(0);

serveVerbs({
  /** `host:port`. */
  start: (of: { delta: string }): Promise<string> => {
    ready = Buffer.from(of.delta, "base64");
    server.addService(serviceDefinition(MeshService), {
      replicate: (call: Call) => {
        calls.add(call);
        call.on("error", () => undefined).once("close", () => calls.delete(call));
        call.write(Buffer.alloc(0));
      },
      confirm: (_call: unknown, answer: (error: null, response: unknown) => void) =>
        answer(null, confirmed),
    });
    return new Promise((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", credentials, (error, port) =>
        error === null ? resolve(`127.0.0.1:${port}`) : reject(error),
      ),
    );
  },
  change: (): void => {
    for (const call of calls) call.write(ready);
  },
});
