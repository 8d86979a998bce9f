// A floor: a service whose handler does nothing, or one commit of SQLite.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { create } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { ReportResponseSchema, TelemetryService } from "../../gen/headwater/v1/apps_pb.ts";
import { openDatabase } from "../../nodes/store/database.ts";
import { serveVerbs } from "./worker.ts";

/** About what a flag is in the store, with its head. */
const flagBytes = 500;

serveVerbs({
  start: async ({ isDurable }: { isDurable: boolean }): Promise<string> => {
    const work = isDurable ? rowWriter() : () => {};
    const report = () => {
      work();
      return create(ReportResponseSchema, { nextAfterMs: 1 });
    };
    const server = createServer(
      connectNodeAdapter({ routes: (router) => router.service(TelemetryService, { report }) }),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" ? `127.0.0.1:${address?.port}` : "";
  },
});

/** Writes one row, synced, to a database like a node's. */
function rowWriter(): () => void {
  const directory = mkdtempSync(join(tmpdir(), "headwater-bench-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const put = openDatabase(directory).prepare(
    "INSERT OR REPLACE INTO record VALUES ('bench', 'key', ?)",
  );
  return () => put.run(Buffer.alloc(flagBytes, 1));
}
