import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { NatsProcess } from "./nats-process.ts";
import { NodeProcess } from "./node-process.ts";
import { typeAt } from "./operator.ts";
import { say } from "./say.ts";

/** A root, a vendor, two sites: four processes, and more where a site has several nodes. */
export interface Mesh extends AsyncDisposable {
  readonly root: NodeProcess;
  readonly vendor: NodeProcess;
  /** The first node of each site. */
  readonly sites: readonly [NodeProcess, NodeProcess];
  /** The first site's other nodes, and the NATS that they share. */
  readonly cluster: Cluster | undefined;
}

export interface Cluster {
  readonly nats: NatsProcess;
  readonly others: readonly NodeProcess[];
}

/** Documents of a few seconds instead of a day, so that something is to be seen. */
const windows = { HEADWATER_WINDOW: "3s", HEADWATER_HEALTH_WINDOW: "3s" };

const rounded = { HEADWATER_DISCLOSURE: "rounded" };

/** Starts the nodes, so many of them at the first site; none knows of another yet. */
export async function startMesh(siteNodesCount: number): Promise<Mesh> {
  await using parts = new AsyncDisposableStack();
  const nats = siteNodesCount > 1 ? parts.use(await NatsProcess.start()) : undefined;
  const shared = nats && { HEADWATER_SITE: "plant-1", HEADWATER_NATS_URL: nats.url };
  const starting = [
    NodeProcess.start("upstream", windows),
    NodeProcess.start("acme", { ...windows, ...rounded }),
    NodeProcess.start("plant-1", { ...windows, ...rounded, ...shared }),
    NodeProcess.start("plant-2", { ...windows, ...rounded }),
  ] as const;
  const [root, vendor, first, second] = await all(starting, parts);
  const secret = join(first.dataDirectory, "site.secret");
  const env = { ...windows, ...rounded, ...shared, HEADWATER_SITE_SECRET_FILE: secret };
  const names = Array.from({ length: siteNodesCount - 1 }, (_, i) => `plant-1-${i + 2}`);
  const others = await all(
    names.map((name) => NodeProcess.start(name, env)),
    parts,
  );
  const running = parts.move();
  return {
    root,
    vendor,
    sites: [first, second],
    cluster: nats && { nats, others },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** When one does not come up, the others are still to be stopped. */
async function all<T extends readonly Promise<NodeProcess>[]>(
  starting: T,
  parts: AsyncDisposableStack,
): Promise<{ [K in keyof T]: NodeProcess }> {
  for (const start of await Promise.allSettled(starting))
    if (start.status === "fulfilled") parts.use(start.value);
  return Promise.all(starting) as Promise<{ [K in keyof T]: NodeProcess }>;
}

/** Joins a child to its parent as their operators would, and waits until it has the project. */
export async function joinMesh(of: {
  parent: NodeProcess;
  child: NodeProcess;
  project: string;
}): Promise<void> {
  const { parent, child, project } = of;
  const token = await typeAt(parent, ["child", "add", child.env["HEADWATER_SITE"] ?? child.name]);
  await typeAt(child, ["join", token.trim()], ["join", "TOKEN"]);
  await say.during(`${child.name} gets what there is`, arrival(child, project));
}

/** Waits until a node has a project. */
export async function arrival(node: NodeProcess, project: string): Promise<void> {
  await eventually(`${node.name} has ${project}`, async () => {
    const { freshness } = await node.evaluate({ project, flag: "any" });
    return freshness === "FRESH";
  });
}
