import { eventually } from "./eventually.ts";
import { NodeProcess } from "./node-process.ts";
import { typeAt } from "./operator.ts";
import { say } from "./say.ts";

/** A root, a vendor, two sites: four processes. */
export interface Mesh extends AsyncDisposable {
  readonly root: NodeProcess;
  readonly vendor: NodeProcess;
  readonly sites: readonly [NodeProcess, NodeProcess];
}

/** Documents of a few seconds instead of a day, so that something is to be seen. */
const windows = { HEADWATER_WINDOW: "3s", HEADWATER_HEALTH_WINDOW: "3s" };

const rounded = { HEADWATER_DISCLOSURE: "rounded" };

/** Starts the nodes; none knows of another yet. */
export async function startMesh(): Promise<Mesh> {
  await using parts = new AsyncDisposableStack();
  const starting = [
    NodeProcess.start("upstream", windows),
    NodeProcess.start("acme", { ...windows, ...rounded }),
    NodeProcess.start("plant-1", { ...windows, ...rounded }),
    NodeProcess.start("plant-2", { ...windows, ...rounded }),
  ] as const;
  // When one does not come up, the others are still to be stopped.
  for (const start of await Promise.allSettled(starting))
    if (start.status === "fulfilled") parts.use(start.value);
  const [root, vendor, first, second] = await Promise.all(starting);
  const running = parts.move();
  return {
    root,
    vendor,
    sites: [first, second],
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Joins a child to its parent as their operators would, and waits until it has the project. */
export async function joinMesh(of: {
  parent: NodeProcess;
  child: NodeProcess;
  project: string;
}): Promise<void> {
  const { parent, child, project } = of;
  const token = await typeAt(parent, ["child", "add", child.name]);
  await typeAt(child, ["join", token.trim()], ["join", "TOKEN"]);
  const arrived = eventually(`${child.name} has ${project}`, async () => {
    const { freshness } = await child.evaluate({ project, flag: "any" });
    return freshness === "FRESH";
  });
  await say.during(`${child.name} gets what there is`, arrived);
}
