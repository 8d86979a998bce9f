// The floor of a storm: answers whoever says something with bytes that are ready.
import { once } from "node:events";
import { createServer } from "node:net";
import { connectionsWaitingMax } from "../../relay/limits.ts";
import { serveVerbs } from "./worker.ts";

serveVerbs({
  /** The `host:port` where that answer, base64, is to be had. */
  start: async ({ answer }: { answer: string }): Promise<string> => {
    const bytes = Buffer.from(answer, "base64");
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on("error", () => undefined).once("data", () => socket.write(bytes));
    });
    server.listen({ port: 0, host: "127.0.0.1", backlog: connectionsWaitingMax });
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" ? `127.0.0.1:${address?.port}` : "";
  },
});
