// An app that asks for flags, in a process of its own.
import { FlagdCore } from "@openfeature/flagd-core";
import { type Client, connect } from "../../sdk/index.ts";
import { type Cost, callsPerRound, costOf } from "./call-cost.ts";
import { serveVerbs } from "./worker.ts";

let client: Client | undefined;
const flagd = new FlagdCore();
const bare = new Map<string, boolean>();
const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

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
