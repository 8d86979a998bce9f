// Where Unleash Edge has its flags from: a server of the part of Unleash's API that it asks of one
// when it streams. It takes any token for valid, and sends each change as soon as it is made.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { serveVerbs } from "../worker.ts";
import { unleashToken } from "./unleash-token.ts";

const listening = new Set<ServerResponse>();
let onFollowed: (() => void) | undefined;
let flagsCount = 0;
let eventId = 1;
let percentage = 10;

serveVerbs({
  /** `host:port`. */
  start: async (of: { flagsCount: number }): Promise<string> => {
    flagsCount = of.flagsCount;
    const server = createServer(answer).listen(0, "127.0.0.1");
    await once(server, "listening");
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
  /** Resolves once somebody has been sent all flags. */
  followed: (): Promise<void> | undefined =>
    listening.size > 0 ? undefined : new Promise((resolve) => (onFollowed = resolve)),
  /** The first flag has another share. */
  change: (of: { percentage: number }): void => {
    percentage = of.percentage;
    eventId++;
    const event = { type: "feature-updated", eventId, feature: featureAt(0) };
    for (const response of listening) response.write(eventOf("unleash-updated", event));
  },
});

function answer(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  if (request.url === "/api/client/streaming") stream(response);
  else if (request.url === "/edge/validate") response.end(JSON.stringify({ tokens: [validToken] }));
  // What it reports of itself is of no interest here.
  else response.writeHead(202).end();
}

const validToken = {
  token: unleashToken,
  type: "client",
  environment: "development",
  projects: ["*"],
};

function stream(response: ServerResponse): void {
  const features = Array.from({ length: flagsCount }, (_, n) => featureAt(n));
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(
    eventOf("unleash-connected", { type: "hydration", eventId, features, segments: [] }),
  );
  listening.add(response);
  response.once("close", () => listening.delete(response));
  onFollowed?.();
}

function eventOf(name: string, event: object): string {
  return `event: ${name}\ndata: ${JSON.stringify({ events: [event] })}\n\n`;
}

function featureAt(n: number): object {
  const name = `flag-${n}`;
  const rollout = String(n === 0 ? percentage : 10);
  const parameters = { rollout, stickiness: "default", groupId: name };
  const strategies = [{ name: "flexibleRollout", parameters, constraints: [] }];
  return { name, type: "release", enabled: true, project: "default", variants: [], strategies };
}
