// A floor: the calls of a node, whose handlers do nothing, or one commit of the store.
import { once } from "node:events";
import { createServer } from "node:http";
import { create } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { ReportResponseSchema, TelemetryService } from "../../gen/headwater/v1/apps_pb.ts";
import { CommitResponseSchema, LedgerService } from "../../gen/headwater/v1/ledgers_pb.ts";
import { openStore } from "../../nodes/store/store.ts";
import { scratchDirectory } from "./scratch.ts";
import { serveVerbs } from "./worker.ts";

/** About what a flag is in the store, with its head. */
const recordBytes = 500;

serveVerbs({
  /** `host:port`. */
  start: async (): Promise<string> => {
    const write = recordWriter();
    const report = () => create(ReportResponseSchema, { nextAfterMs: 1 });
    const commit = () => {
      write();
      return create(CommitResponseSchema);
    };
    const server = createServer(
      connectNodeAdapter({
        routes: (router) =>
          router.service(TelemetryService, { report }).service(LedgerService, { commit }),
      }),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" ? `127.0.0.1:${address?.port}` : "";
  },
});

/** Writes one record, synced, to a store like a node's. */
function recordWriter(): () => void {
  const store = openStore({ directory: scratchDirectory() });
  const value = Buffer.alloc(recordBytes);
  let count = 0;
  return () => {
    // The same bytes once more would change no page, and SQLite would sync nothing.
    value.writeUInt32BE(++count);
    store.write([{ bucket: "entry", key: "bench", value }]);
  };
}
