import { freeAddress, portOf } from "./free-address.ts";
import { PeerProcess } from "./peer-process.ts";
import type { PeerServer } from "./peer-server.ts";

const flagsFile = "flags.json";
const configFile = "config.json";
const adminKey = "bench";

/** Longer than anything here takes: it looks for changes when it is told to. */
const pollingIntervalMs = 3_600_000;

/** The relay proxy of GO Feature Flag, which tells all who listen what a flag was and what it is. */
export async function openGoFeatureFlag(
  program: string,
  flagsCount: number,
): Promise<PeerServer & AsyncDisposable> {
  const address = await freeAddress();
  const files = { [flagsFile]: flagsWith(flagsCount, 10), [configFile]: configOf(address) };
  const process = await PeerProcess.open({
    program,
    args: () => ["--config", configFile],
    address,
    files,
  });
  return {
    process,
    change: async (round) => {
      process.replace(flagsFile, flagsWith(flagsCount, 20 + (round % 70)));
      await lookForChanges(address);
    },
    clients: {
      file: "sse-watchers-worker.ts",
      dial: { address, path: "/stream/v1/sse/flag/change" },
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

async function lookForChanges(address: string): Promise<void> {
  const response = await fetch(`http://${address}/admin/v1/retriever/refresh`, {
    method: "POST",
    headers: { "x-api-key": adminKey },
  });
  if (!response.ok) throw new Error(`it does not look for changes: ${response.status}`);
  await response.arrayBuffer();
}

function configOf(address: string): string {
  return JSON.stringify({
    server: { mode: "http", host: "127.0.0.1", port: Number(portOf(address)) },
    hideBanner: true,
    logLevel: "error",
    pollingInterval: pollingIntervalMs,
    fileFormat: "json",
    retrievers: [{ kind: "file", path: flagsFile }],
    authorizedKeys: { admin: [adminKey] },
  });
}

/** So many flags, each in a share of instances, and the first with this percentage. */
function flagsWith(count: number, percentage: number): string {
  const flags = Array.from({ length: count }, (_, n) => {
    const on = n === 0 ? percentage : 10;
    const defaultRule = { percentage: { on, off: 100 - on } };
    return [`flag-${n}`, { variations: { on: true, off: false }, defaultRule }];
  });
  return JSON.stringify(Object.fromEntries(flags));
}
