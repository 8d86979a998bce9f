import { eventually } from "./eventually.ts";
import { joinProcess, NodeProcess } from "./node-process.ts";

/** A root, a vendor, two sites: four processes, joined as their operators would. */
export interface Mesh extends AsyncDisposable {
  readonly root: NodeProcess;
  readonly vendor: NodeProcess;
  readonly sites: readonly [NodeProcess, NodeProcess];
}

/** Documents of a few seconds instead of a day, so that something is to be seen. */
const windows = { HEADWATER_WINDOW: "4s", HEADWATER_HEALTH_WINDOW: "4s" };

export async function startMesh(project: string): Promise<Mesh> {
  await using parts = new AsyncDisposableStack();
  const start = async (name: string, env: Readonly<Record<string, string>> = {}) =>
    parts.use(await NodeProcess.start(name, { ...windows, ...env }));
  const rounded = { HEADWATER_DISCLOSURE: "rounded" };
  const [root, vendor, first, second] = await Promise.all([
    start("upstream"),
    start("acme", rounded),
    start("plant-1", rounded),
    start("plant-2", rounded),
  ]);
  await root.do(["init", project]);
  await joinProcess(root, vendor);
  await holds(vendor, project);
  for (const site of [first, second]) {
    await joinProcess(vendor, site);
    await holds(site, project);
  }
  const running = parts.move();
  return {
    root,
    vendor,
    sites: [first, second],
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function holds(node: NodeProcess, project: string): Promise<void> {
  await eventually(`${node.name} has ${project}`, async () => {
    const { freshness } = await node.evaluate({ project, flag: "any" });
    return freshness === "FRESH";
  });
}
