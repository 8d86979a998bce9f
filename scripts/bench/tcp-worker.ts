// The floor of a fan-out: writes bytes that are ready to every connection, and nothing else.
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { chunkOf } from "../../nodes/http/chunked-body.ts";
import { envelope } from "../../nodes/http/connect-envelope.ts";
import { serveVerbs } from "./worker.ts";

const sockets = new Set<Socket>();
/** That it listens, in a form that apps understand. */
const greeting = Buffer.concat([
  Buffer.from("HTTP/1.1 200 OK\r\n\r\n"),
  chunkOf(envelope(Buffer.alloc(0))),
]);
let ready: Buffer = Buffer.alloc(0);

const server = createServer({ noDelay: true }, (socket) => {
  sockets.add(socket);
  socket.on("error", () => undefined).once("close", () => sockets.delete(socket));
  socket.once("data", () => socket.write(greeting));
});

serveVerbs({
  /** `host:port`. The delta is base64, as a node sends it. */
  start: async (of: { delta: string }): Promise<string> => {
    ready = chunkOf(envelope(Buffer.from(of.delta, "base64")));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" ? `127.0.0.1:${address?.port}` : "";
  },
  change: (): void => {
    for (const socket of sockets) socket.write(ready);
  },
});
