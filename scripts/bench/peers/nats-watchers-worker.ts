// Many connections that subscribe to one subject of nats-server, and count what is published.
import { connect } from "node:net";
import { DueCount } from "../due-count.ts";
import { serveVerbs } from "../worker.ts";

/** How what is published begins, and what a subscriber is answered that asks for an answer. */
const published = "MSG ";
const answered = "PONG\r\n";

const changes = new DueCount();

serveVerbs({
  dial: async (of: { address: string; count: number; subject: string }): Promise<void> => {
    for (let n = 0; n < of.count; n++) await dial(of);
  },
  hear: ({ dueCount }: { dueCount: number }): Promise<number> => changes.hear(dueCount),
});

/** Resolves once it has subscribed. What is published is no text that could be taken for another. */
function dial({ address, subject }: { address: string; subject: string }): Promise<void> {
  const [host = "", port] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), noDelay: true });
    socket.once("error", reject).once("connect", () => {
      socket.write(`CONNECT {"verbose":false}\r\nSUB ${subject} 1\r\nPING\r\n`);
    });
    socket.on("data", (chunk) => {
      if (chunk.includes(answered)) resolve();
      if (chunk.includes(published)) changes.add(1);
    });
  });
}
