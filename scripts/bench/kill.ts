import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BenchRoot, project } from "./bench-root.ts";
import { dialOf } from "./child-dial.ts";
import type { Bench } from "./figure.ts";
import { dialsPauseMs } from "./mesh-session.ts";
import { watchRequest } from "./watch-request.ts";
import { Worker } from "./worker.ts";

const flagsCount = 10_000;
const roundsCount = 3;

/** When so large a share of the nodes have their snapshot the others are in the midst of it. */
const begunShare = 0.1;

/** What an app is told of a flag that is killed, and of one that is not. */
const killed = "KILLED";
const alive = "ROLLOUT";

interface Size {
  readonly apps: number;
  readonly nodes: number;
}

interface Served {
  readonly root: BenchRoot;
  readonly apps: Worker;
  readonly nodes: Worker;
}

/** From a kill to the last app and node while all of them are sent everything, beside a calm time. */
export function kill(size: Size): Bench {
  return async (tell) => {
    const what = `a kill while ${size.apps} apps and ${size.nodes} nodes take ${flagsCount} flags`;
    tell(what);
    await using root = await BenchRoot.open(flagsCount);
    await using apps = new Worker(join(import.meta.dirname, "reconnect-worker.ts"));
    await using nodes = new Worker(join(import.meta.dirname, "reconnect-nodes-worker.ts"));
    const served = { root, apps, nodes };
    const samples: number[] = [];
    const calm: number[] = [];
    for (let round = 0; round < roundsCount; round++) {
      const come = await begin(served, size);
      samples.push(await killMs(served, size));
      await come.all;
      calm.push(await killMs(served, size));
    }
    const name = "when they have them";
    return [{ name: `${what}: to the last`, unit: "ms", samples, beside: { name, samples: calm } }];
  };
}

/** All come with nothing, and some have everything already. */
async function begin(
  { root, apps, nodes }: Served,
  size: Size,
): Promise<{ all: Promise<unknown> }> {
  await Promise.all([apps.ask("drop"), nodes.ask("drop")]);
  await sleep(dialsPauseMs);
  const hello = watchRequest().toString("base64");
  const node = { ...(await dialOf(root)), project, count: size.nodes, isNew: true };
  const all = Promise.all([
    nodes.ask("reconnect", node),
    apps.ask("reconnect", { address: root.apps, count: size.apps, hello }),
  ]);
  await nodes.ask("fresh", { count: Math.ceil(size.nodes * begunShare) });
  return { all };
}

/** From the commit to the last app and node; then the flag is as it was for all of them. */
async function killMs({ root, apps, nodes }: Served, size: Size): Promise<number> {
  const note = `killed at ${performance.now()}`;
  // Processes that are busy would be asked later than they hear of the kill.
  await Promise.all([apps.ask("look", { text: killed }), nodes.ask("look", { text: note })]);
  const heard = Promise.all([
    apps.ask<number>("sight", { count: size.apps }),
    nodes.ask<number>("sight", { count: size.nodes }),
  ]);
  const begunMs = performance.timeOrigin + performance.now();
  await root.kill(note);
  const atMs = Math.max(...(await heard));
  await apps.ask("look", { text: alive });
  const back = apps.ask<number>("sight", { count: size.apps });
  await root.setPercentage(1_000);
  // Who is slow, and is where the next kill leads to, would be told nothing of it.
  await back;
  return atMs - begunMs;
}
