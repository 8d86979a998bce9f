// The floor of a report: the same service, whose handler does nothing.
import { once } from "node:events";
import { createServer } from "node:http";
import { create } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { ReportResponseSchema, TelemetryService } from "../../gen/headwater/v1/apps_pb.ts";
import { serveVerbs } from "./worker.ts";

const server = createServer(
  connectNodeAdapter({
    routes: (router) =>
      router.service(TelemetryService, {
        report: () => create(ReportResponseSchema, { nextAfterMs: 1 }),
      }),
  }),
);

serveVerbs({
  start: async (): Promise<string> => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" ? `127.0.0.1:${address?.port}` : "";
  },
});
