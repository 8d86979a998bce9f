// Where flagd has its flags from: a server of its own protocol that sends them anew at each change.
import { create } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type ServerWritableStream } from "@grpc/grpc-js";
import {
  FetchAllFlagsResponseSchema,
  FlagSyncService,
  GetMetadataResponseSchema,
  type SyncFlagsRequest,
  type SyncFlagsResponse,
  SyncFlagsResponseSchema,
} from "../../../gen/flagd/sync/v1/sync_pb.ts";
import { serviceDefinition } from "../../../nodes/mesh/codec.ts";
import { serveVerbs } from "../worker.ts";
import { flagdFlags } from "./flagd-flags.ts";

type Call = ServerWritableStream<SyncFlagsRequest, SyncFlagsResponse>;
type Answer = (error: null, response: unknown) => void;

const calls = new Set<Call>();
const server = new Server();
let flagsCount = 0;
let flagConfiguration = "";

serveVerbs({
  /** `host:port`. */
  start: (of: { flagsCount: number }): Promise<string> => {
    flagsCount = of.flagsCount;
    flagConfiguration = flagdFlags(flagsCount, 1_000);
    server.addService(serviceDefinition(FlagSyncService), {
      syncFlags: (call: Call) => {
        calls.add(call);
        call.on("error", () => undefined).once("close", () => calls.delete(call));
        call.write(create(SyncFlagsResponseSchema, { flagConfiguration }));
      },
      fetchAllFlags: (_call: unknown, answer: Answer) =>
        answer(null, create(FetchAllFlagsResponseSchema, { flagConfiguration })),
      getMetadata: (_call: unknown, answer: Answer) =>
        answer(null, create(GetMetadataResponseSchema, { metadata: {} })),
    });
    return new Promise((resolve, reject) =>
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(`127.0.0.1:${port}`) : reject(error),
      ),
    );
  },
  /** The first flag has another share. */
  change: ({ number }: { number: number }): void => {
    flagConfiguration = flagdFlags(flagsCount, number);
    for (const call of calls) call.write(create(SyncFlagsResponseSchema, { flagConfiguration }));
  },
});
