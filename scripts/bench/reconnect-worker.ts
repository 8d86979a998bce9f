// Many apps that are dropped and come again all at once.
import { connect, type Socket } from "node:net";
import { ChunkedMessages } from "./chunked-messages.ts";
import { Crowd, type Reconnected, untilLetIn } from "./crowd.ts";
import { serveVerbs } from "./worker.ts";

interface Dial {
  /** `host:port`. */
  readonly address: string;
  readonly count: number;
  /** What each says, base64. */
  readonly hello: string;
}

/** What a table and a change of one say of themselves. */
const fresh = "FRESH";

const crowd = new Crowd();
const sockets = new Set<Socket>();

serveVerbs({
  connect: (of: Dial): Promise<void> => crowd.connect(of.count, (n) => dial(of, n)),
  drop: (): void => {
    const all = [...sockets];
    sockets.clear();
    for (const socket of all) socket.destroy();
  },
  reconnect: (of: Dial): Promise<Reconnected> => crowd.reconnect(of.count, (n) => dial(of, n)),
  fresh: (of: { count: number }): Promise<number> => crowd.fresh(of),
  look: (of: { text: string }): void => crowd.look(of),
  sight: (of: { count: number }): Promise<number> => crowd.sight(of),
});

/** Once it has been let in it comes again by itself, unless it is dropped. */
function dial(of: Dial, n: number): Promise<number | undefined> {
  const [host = "", port] = of.address.split(":");
  const socket = connect({ host, port: Number(port), noDelay: true });
  const messages = new ChunkedMessages();
  return new Promise((resolve) => {
    socket.once("connect", () => socket.write(Buffer.from(of.hello, "base64")));
    socket
      .on("error", () => undefined)
      .once("close", () => {
        resolve(undefined);
        if (sockets.delete(socket)) void untilLetIn(() => dial(of, n));
      });
    socket.on("data", (chunk) => {
      for (const message of messages.take(chunk)) {
        if (crowd.isSight(message)) crowd.sighted(n);
        if (!message.includes(fresh)) continue;
        sockets.add(socket);
        resolve(socket.bytesRead);
      }
    });
  });
}
