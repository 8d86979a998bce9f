// Apps and nodes that say what they want and then never read; cut off, they come again.
import { connect } from "node:net";
import type { ChildDial } from "./child-dial.ts";
import { untilLetIn } from "./crowd.ts";
import { openMeshSession, replicate } from "./mesh-session.ts";
import { serveVerbs } from "./worker.ts";

interface Crowd {
  readonly count: number;
  /** The number of the first of them, others having those before it. */
  readonly first: number;
}

interface Apps extends Crowd {
  /** `host:port`. */
  readonly address: string;
  /** Base64. */
  readonly hello: string;
}

interface Nodes extends Crowd, ChildDial {
  readonly project: string;
}

serveVerbs({
  apps: async (of: Apps): Promise<void> => {
    for (let n = 0; n < of.count; n++) await untilLetIn(() => dialApp(of));
  },
  nodes: async (of: Nodes): Promise<void> => {
    for (let n = of.first; n < of.first + of.count; n++) await untilLetIn(() => dialNode(of, n));
  },
});

function dialApp(of: Apps): Promise<true | undefined> {
  const [host = "", port] = of.address.split(":");
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), noDelay: true });
    let isIn = false;
    socket.pause().on("error", () => undefined);
    socket.once("connect", () => {
      isIn = true;
      socket.write(Buffer.from(of.hello, "base64"), () => resolve(true));
    });
    socket.once("close", () => {
      resolve(undefined);
      if (isIn) void untilLetIn(() => dialApp(of));
    });
  });
}

/** Data that nobody asks for stays with HTTP/2, which takes no more than its window. */
async function dialNode(of: Nodes, n: number): Promise<true | undefined> {
  const session = await openMeshSession(of.address, n).catch(() => undefined);
  if (session === undefined) return undefined;
  replicate(session, { ...of, n }).on("error", () => undefined);
  session.on("error", () => undefined).once("close", () => void untilLetIn(() => dialNode(of, n)));
  return true;
}
