// A process in which copies of an app come and go, say how they are, and use and crash now and then.
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../../relay/random.ts";
import { type Client, connect, type Health } from "../../sdk/index.ts";
import { release } from "../chaos/chaos-mesh.ts";
import type { StartApps } from "./apps-process.ts";
import { feature, stableFlags } from "./churn.ts";

const changeEveryMs = 250;

/** Most are well: a verdict that is bad would halt every rollout. */
const healths: readonly Health[] = ["OK", "OK", "OK", "OK", "OK", "OK", "OK", "DEGRADED", "FAILED"];

process.once("message", (start) => void run(start as StartApps));

async function run({ project, urls, appsCount }: StartApps): Promise<void> {
  const random = new Random(1);
  const start = (n: number): Promise<Client> =>
    connect({
      project,
      version: release,
      instance: `app-${n}`,
      url: [...urls.slice(n % urls.length), ...urls.slice(0, n % urls.length)],
    });
  const apps = await Promise.all(Array.from({ length: appsCount }, (_, n) => start(n)));
  let count = apps.length;
  process.send?.(count);
  process.once("disconnect", () => process.exit());
  for (;;) {
    await sleep(changeEveryMs);
    const app = await start(count++);
    const at = random.below(apps.length);
    void apps.splice(at, 1, app)[0]?.close();
    for (const flag of stableFlags) app.enabled(flag);
    app.on("change", ({ name }) => app.enabled(name));
    const somebody = apps[random.below(apps.length)];
    somebody?.health(healths[random.below(healths.length)] ?? "OK");
    if (random.below(4) === 0) somebody?.used(feature);
    if (random.below(40) === 0) somebody?.crash(new Error("it went wrong"));
    process.send?.(count);
  }
}
