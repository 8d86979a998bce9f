// Many connections that listen to server-sent events, and count those that tell of a change.
import { request } from "node:http";
import { createParser } from "eventsource-parser";
import { DueCount } from "../due-count.ts";
import { serveVerbs } from "../worker.ts";

interface Dial {
  /** `host:port`. */
  readonly address: string;
  readonly count: number;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The name of an event that tells of a change; none where such events have none. */
  readonly event?: string;
}

const changes = new DueCount();

serveVerbs({
  dial: async (of: Dial): Promise<void> => {
    for (let n = 0; n < of.count; n++) await dial(of);
  },
  hear: ({ dueCount }: { dueCount: number }): Promise<number> => changes.hear(dueCount),
});

/** Resolves once it is answered: whoever answers hears of what it has let in. */
function dial({ address, path, headers = {}, event }: Dial): Promise<void> {
  const [host, port] = address.split(":");
  const parser = createParser({
    onEvent: (heard) => {
      if (heard.event === event) changes.add(1);
    },
  });
  return new Promise((resolve, reject) => {
    const call = request({ host, port, path, headers, agent: false });
    call.once("error", reject).once("response", (response) => {
      if (response.statusCode !== 200) reject(new Error(`${path}: ${response.statusCode}`));
      response.setEncoding("utf8").on("data", (text: string) => parser.feed(text));
      resolve();
    });
    call.end();
  });
}
