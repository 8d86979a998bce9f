import { isIn } from "../../relay/flag/bucket.ts";
import { claim } from "./claim.ts";
import { eventually } from "./eventually.ts";
import type { Cluster } from "./mesh.ts";
import type { NodeProcess } from "./node-process.ts";
import { typeAt } from "./operator.ts";
import { msText, say } from "./say.ts";
import { settled, type Tour } from "./tour.ts";

/** A site of several nodes loses one that has a parent, then its NATS. */
export async function siteOutage(tour: Tour, { nats, others }: Cluster): Promise<void> {
  const { apps, flag, mesh, project } = tour;
  const [first] = mesh.sites;
  say.title(`${first.name} is a site of ${others.length + 1} nodes that share NATS`);
  const instances = await instancesAt(tour);
  claim(
    instances.every((count) => count === instances[0]),
    `its nodes hold ${instances.join(", ")} instances, not the same`,
  );
  say.line(`each of them has heard of all ${instances[0]} instances of the site, once`);
  say.line(
    `its first node, which has the parent, is killed; ${first.name}'s apps go to the others`,
  );
  await first.kill();
  const startedMs = performance.now();
  await typeAt(mesh.root, ["flag", "set", `${project}/${flag}`, "25%"]);
  const seenMs = await say.during("a change goes the other way", settled(tour, "a change"));
  say.line(`every app has a change ${msText(seenMs - startedMs)} after it was typed`);
  await say.during(`starting ${first.name} again`, first.restart());

  say.line("NATS is killed");
  await nats.signal("SIGKILL");
  await typeAt(mesh.root, ["flag", "set", `${project}/${flag}`, "50%"]);
  await withoutNats(tour, { first, others });
  await nats.restart();
  await say.during("NATS is back: all catch up by themselves", settled(tour, "what was missed"));
  say.line(`${apps.onCount(flag)} of ${apps.instances.length} instances are on, at every node`);
}

/** Whether each node has the change from 25 % to 50 %: who has a parent, and nobody else. */
async function withoutNats(
  { project, flag }: Tour,
  { first, others: [second, ...others] }: { first: NodeProcess; others: Cluster["others"] },
): Promise<void> {
  const instance = firstBetween(flag);
  const has = async (node: NodeProcess): Promise<boolean> =>
    (await node.evaluate({ project, flag, instance })).enabled;
  for (const node of second === undefined ? [first] : [first, second]) {
    await say.during(
      `${node.name} goes on`,
      eventually(`${node.name} has it`, () => has(node)),
    );
    say.line(`${node.name} has a parent, and the change`);
  }
  for (const node of others) {
    claim(!(await has(node)), `${node.name} has the change, and only NATS to hear of it`);
    say.line(`${node.name} has only NATS, and answers what it did`);
  }
}

/** An instance that is in at 50 %, and not at 25 %. */
function firstBetween(flag: string): string {
  for (let i = 1; ; i++) {
    const instance = `i-${i}`;
    const isInAt = (basisPoints: number): boolean => isIn({ flag, instance, basisPoints });
    if (isInAt(5_000) && !isInAt(2_500)) return instance;
  }
}

/** How many instances each node of the site holds, once the last reports have gone around. */
async function instancesAt({ mesh, project, apps }: Tour): Promise<number[]> {
  const [first] = mesh.sites;
  const nodes = [first, ...(mesh.cluster?.others ?? [])];
  const wanted = apps.instances.filter(({ id }) => id.startsWith(`${first.name}-`)).length;
  return eventually("each node has heard of every instance", async () => {
    const counts = await Promise.all(
      nodes.map(async (node) => {
        const status = JSON.parse(await node.do(["status", "--json"])) as {
          projects: { project: string; instancesCount: number }[];
        };
        return status.projects.find((one) => one.project === project)?.instancesCount ?? 0;
      }),
    );
    return counts.every((count) => count === wanted) && counts;
  });
}
