// The floor of a fan-out: writes the same bytes to every connection, and nothing else.
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { serveVerbs } from "./worker.ts";

const sockets = new Set<Socket>();
const server = createServer({ noDelay: true }, (socket) => {
  sockets.add(socket);
  socket.on("error", () => undefined).once("close", () => sockets.delete(socket));
  socket.resume();
});

serveVerbs({
  start: async (): Promise<string> => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return typeof address === "object" ? `127.0.0.1:${address?.port}` : "";
  },
  change: ({ bytesCount }: { bytesCount: number }): void => {
    const bytes = Buffer.alloc(bytesCount, 1);
    for (const socket of sockets) socket.write(bytes);
  },
});
