import { onTestFinished } from "vitest";
import type { HttpHandler } from "../../../nodes/http/http-handler.ts";
import { type Listener, type ListenerOptions, openListener } from "../../../nodes/http/listener.ts";

/** Says which version of HTTP it was asked in. */
const sayVersion: HttpHandler = (incoming, response) => {
  response.writeHead(200);
  response.end(`HTTP/${incoming.httpVersion}`);
};

/** A listener on a free port of this machine, until the end of the test. */
export async function openLocal(options: Partial<ListenerOptions> = {}): Promise<Listener> {
  const stop = new AbortController();
  const listener = await openListener({
    address: "127.0.0.1:0",
    handler: sayVersion,
    setting: "HEADWATER_APPS_ADDR",
    signal: stop.signal,
    deadlines: { closeMs: 1_000 },
    ...options,
  });
  onTestFinished(async () => {
    stop.abort();
    await listener.close();
  });
  return listener;
}
