// A process with running copies of an app, which tell its parent each number that they see.
import process from "node:process";
import { connect } from "../../sdk/index.ts";
import { numberOf } from "./counter.ts";
import type { Seen, StartApps } from "./flock.ts";

/** What was seen is told together, this often. */
const tellEveryMs = 20;

let seen: Seen[] = [];

process.once("message", (start) => void run(start as StartApps));

async function run({ project, urls, instances, version }: StartApps): Promise<void> {
  const apps = await Promise.all(
    instances.map(async (instance) => {
      const client = await connect({ project, version, instance, url: urls, waitMs: 20_000 });
      const look = (): void => {
        const number = numberOf((flag) => client.enabled(flag));
        seen.push({ instance, number, freshness: client.freshness });
      };
      client.on("update", look);
      client.on("freshness", look);
      look();
      client.health("OK");
      return client;
    }),
  );
  setInterval(() => {
    if (seen.length === 0 || !process.connected) return;
    process.send?.(seen);
    seen = [];
  }, tellEveryMs);
  process.once("disconnect", () => {
    void Promise.all(apps.map((app) => app.close())).then(() => process.exit());
  });
}
