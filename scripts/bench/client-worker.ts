// An app that asks for flags, in a process of its own.
import process from "node:process";
import { FlagdCore } from "@openfeature/flagd-core";
import { type Client, connect } from "../../sdk/index.ts";
import { serveVerbs } from "./worker.ts";

const callsPerRound = 1_000_000;

let client: Client | undefined;
const flagd = new FlagdCore();
const bare = new Map<string, boolean>();
const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

/** Nanoseconds and bytes of one call. */
interface Cost {
  readonly ns: number;
  readonly bytes: number;
}

serveVerbs({
  start: async (of: { url: string; project: string; flag: string }): Promise<void> => {
    client = await connect({ url: of.url, project: of.project, version: "1.0", instance: "one" });
    if (!client.ready) throw new Error(`no flags: ${client.problems.join("; ")}`);
    bare.set(of.flag, client.enabled(of.flag));
    flagd.setConfigurations(flagdFlags(of.flag));
  },
  enabled: ({ flag }: { flag: string }): Cost => costOf(() => client?.enabled(flag) ?? false),
  map: ({ flag }: { flag: string }): Cost => costOf(() => bare.get(flag) ?? false),
  flagd: ({ flag }: { flag: string }): Cost => {
    const context = { targetingKey: "one" };
    return costOf(
      () => flagd.resolveBooleanEvaluation(flag, false, context, silent).value,
      callsPerRound / 10,
    );
  },
});

/** The same flag, in a share of instances too. */
function flagdFlags(flag: string): string {
  const targeting = {
    fractional: [
      ["on", 10],
      ["off", 90],
    ],
  };
  const variants = { on: true, off: false };
  const one = { state: "ENABLED", variants, defaultVariant: "off", targeting };
  return JSON.stringify({ flags: { [flag]: one } });
}

function costOf(call: () => boolean, count: number = callsPerRound): Cost {
  let on = 0;
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const begun = process.hrtime.bigint();
  for (let n = 0; n < count; n++) if (call()) on++;
  const ns = Number(process.hrtime.bigint() - begun) / count;
  const bytes = Math.max(0, process.memoryUsage().heapUsed - before) / count;
  if (on !== 0 && on !== count) throw new Error("the answer has changed meanwhile");
  return { ns, bytes };
}
