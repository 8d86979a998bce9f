import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../../scripts/demo/eventually.ts";
import type { NatsProcess } from "../../scripts/demo/nats-process.ts";
import type { NodeProcess } from "../../scripts/demo/node-process.ts";
import type { BadLine } from "./bad-line.ts";
import {
  adminOf,
  project,
  release,
  type SiteNode,
  startRoot,
  startSite,
  windowsOf,
} from "./chaos-mesh.ts";
import { Counter } from "./counter.ts";
import { Echo } from "./echo.ts";
import { Flock } from "./flock.ts";
import { type Bounds, type Fault, type Outcome, playRounds } from "./rounds.ts";
import { SentCounts } from "./sent-counts.ts";

/** Within this every app is at the right state after a fault: two of the longest back-offs. */
export const siteHealMsMax = 60_000;

/** How far a node that hears nothing is behind when the apps of another come. */
const lagMs = 2_000;

/** Between two commits while a fault lasts. */
const stepEveryMs = 400;

/** A site of three nodes under kills, pauses, partitions and bad lines, with apps that watch. */
export async function siteRounds(of: {
  bounds: Bounds;
  appsCount: number;
  /** Of documents, as the environment has it; instances report twice in it. */
  window?: string;
  onRound: (line: string) => void;
}): Promise<Outcome> {
  await using parts = new AsyncDisposableStack();
  const keep = <T extends AsyncDisposable>(part: T): T => parts.use(part);
  const windows = windowsOf(of.window ?? "20s");
  const { root, line } = await startRoot(keep, windows);
  const { nats, nodes } = await startSite(keep, { parent: root, nodesCount: 3, windows });
  const counter = new Counter({ project, admin: () => adminOf(root) });
  await counter.begin();
  const flock = keep(await Flock.start(groupsOf(nodes, of.appsCount), siteHealMsMax));
  const sent = new SentCounts(nodes.map(({ node }) => node));
  const outcome = await playRounds({
    name: "site",
    bounds: of.bounds,
    faults: faultsOf({ root, line, nats, nodes }),
    onRound: of.onRound,
    during: async ({ stopsWriting }, signal) => {
      while (!signal.aborted) {
        await sleep(stepEveryMs);
        if (stopsWriting !== true && !signal.aborted) await counter.step().catch(() => {});
      }
    },
    heal: async (_fault, right) => {
      await eventually("the root is back", () => counter.settle().then(() => true), siteHealMsMax);
      await counter.step();
      await flock.agree(counter.acknowledged, siteHealMsMax);
      right();
      await countOnce(nodes, of.appsCount);
      const problems = flock.wentBack.splice(0).map((what) => `an app went back: ${what}`);
      return problems;
    },
    counts: () => ({
      apps: of.appsCount,
      numbersSeen: flock.seenCount,
      commits: counter.acknowledgedCount,
    }),
  });
  const documents = await sent.check(of.appsCount);
  return {
    ...outcome,
    broken: [...outcome.broken, ...documents.broken],
    counts: { ...outcome.counts, ...documents.counts },
  };
}

/** A group of apps for each node, which goes to the next one when its own is gone. */
function groupsOf(nodes: readonly SiteNode[], appsCount: number) {
  const urls = nodes.map(({ node }) => `http://${node.apps}`);
  const instances = Array.from({ length: appsCount }, (_, n) => `app-${n}`);
  return nodes.map((_, at) => ({
    project,
    version: release,
    urls: [...urls.slice(at), ...urls.slice(0, at)],
    instances: instances.filter((_instance, n) => n % nodes.length === at),
  }));
}

/** Every node hears of every instance, wherever it is, and once. */
async function countOnce(nodes: readonly SiteNode[], appsCount: number): Promise<void> {
  for (const { node } of nodes) {
    let last = 0;
    await eventually(
      `${node.name} counts ${appsCount} instances`,
      async () => {
        const { projects } = await adminOf(node).nodes.getStatus({});
        last = projects.find((one) => one.project === project)?.instancesCount ?? 0;
        if (last !== appsCount) throw new Error(`it counts ${last}`);
        return true;
      },
      siteHealMsMax,
    );
  }
}

function faultsOf(of: {
  root: NodeProcess;
  line: BadLine;
  nats: NatsProcess;
  nodes: readonly SiteNode[];
}): Fault[] {
  const { root, line, nats, nodes } = of;
  const echo = new Echo(nats.url);
  return [
    ...nodes.flatMap(({ node, natsLine }) => [
      killed("kill a node", node),
      paused("pause a node", node),
      onLine("cut a node off NATS", natsLine, "cut"),
      onLine("stall a node's NATS", natsLine, "stall"),
    ]),
    {
      name: "kill NATS",
      begin: () => nats.signal("SIGKILL"),
      end: () => nats.restart(),
    },
    {
      name: "pause NATS",
      begin: () => nats.signal("SIGSTOP"),
      end: () => nats.signal("SIGCONT"),
    },
    ...nodes.map(({ node }, at) => lagging(node, nodes[(at + 1) % nodes.length]!)),
    ...nodes.map(({ natsLine }) => onLine("garble a node's NATS", natsLine, "garble")),
    {
      name: "NATS refuses the login",
      begin: async () => {
        await nats.signal("SIGKILL");
        await nats.restart({ user: "somebody", password: "else" });
      },
      end: async () => {
        await nats.signal("SIGKILL");
        await nats.restart();
      },
    },
    { name: "all is said twice over NATS", begin: () => echo.begin(), end: () => echo.end() },
    onLine("cut the parent off", line, "cut"),
    onLine("delay the parent", line, "delay"),
    { ...killed("kill the root", root), stopsWriting: true },
  ];
}

/** The next node that its apps try knows less than it did. */
function lagging(node: NodeProcess, next: SiteNode): Fault {
  return {
    name: "kill a node, the next one lags",
    begin: async () => {
      next.natsLine.set("stall");
      await sleep(lagMs);
      await node.kill("SIGKILL");
    },
    end: async () => {
      next.natsLine.set("none");
      await node.restart();
    },
  };
}

export function killed(name: string, node: NodeProcess): Fault {
  return { name, begin: () => node.kill("SIGKILL"), end: () => node.restart() };
}

export function paused(name: string, node: NodeProcess): Fault {
  return { name, begin: () => node.signal("SIGSTOP"), end: () => node.signal("SIGCONT") };
}

export function onLine(name: string, line: BadLine, fault: Parameters<BadLine["set"]>[0]): Fault {
  return { name, begin: () => line.set(fault), end: () => line.set("none") };
}
