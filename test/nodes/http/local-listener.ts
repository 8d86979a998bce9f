import { onTestFinished } from "vitest";
import type { HttpHandler, HttpResponse } from "../../../nodes/http/http-handler.ts";
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

/** One whose answers begin, and go on as the test says. */
export async function openHeld(
  deadlines: ListenerOptions["deadlines"],
): Promise<{ address: string; streams: HttpResponse[] }> {
  const streams: HttpResponse[] = [];
  const handler: HttpHandler = (_, response) => {
    response.writeHead(200);
    response.write("first ");
    streams.push(response);
  };
  const { address } = await openLocal({ handler, deadlines });
  return { address, streams };
}
