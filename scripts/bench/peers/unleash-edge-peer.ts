import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "../worker.ts";
import { freeAddress, portOf } from "./free-address.ts";
import { PeerProcess } from "./peer-process.ts";
import type { PeerServer } from "./peer-server.ts";
import { unleashToken } from "./unleash-token.ts";

/** Within this it has all flags that it has been sent: an app that comes sooner would hear of them. */
const applyMs = 500;

/** Unleash Edge as it streams: it hears what has changed, and tells all who listen. */
export async function openUnleashEdge(
  program: string,
  flagsCount: number,
): Promise<PeerServer & AsyncDisposable> {
  const source = new Worker(join(import.meta.dirname, "unleash-source-worker.ts"));
  const upstream = await source.ask<string>("start", { flagsCount });
  const address = await freeAddress();
  const process = await PeerProcess.open({
    program,
    args: () => argsOf(upstream, address),
    address,
  });
  await source.ask("followed");
  await sleep(applyMs);
  return {
    process,
    change: (round) => source.ask("change", { percentage: 20 + (round % 70) }),
    clients: {
      file: "sse-watchers-worker.ts",
      dial: {
        address,
        path: "/api/client/streaming",
        headers: { authorization: unleashToken },
        event: "unleash-updated",
      },
    },
    [Symbol.asyncDispose]: async () => {
      await process[Symbol.asyncDispose]();
      await source[Symbol.asyncDispose]();
    },
  };
}

function argsOf(upstream: string, address: string): string[] {
  const listen = ["--interface", "127.0.0.1", "--port", portOf(address)];
  const follow = ["--upstream-url", `http://${upstream}`, "--tokens", unleashToken];
  return [...listen, "edge", "--strict", "--streaming", "--delta", ...follow];
}
