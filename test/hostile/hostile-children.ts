import { setTimeout as sleep } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { FlagSchema } from "../../gen/headwater/v1/flag_pb.ts";
import type { JoinToken } from "../../gen/headwater/v1/mesh_pb.ts";
import { ReplicateRequestSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import {
  meshCallsBurstMax,
  meshDialsBurstMax,
  meshRequestBytesMax,
  meshStreamsMax,
} from "../../relay/limits.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import {
  endOf,
  type Flood,
  flood,
  HostileChild,
  hostileAddress,
  PlainConnection,
} from "./hostile-child.ts";
import { memoryOf, type Scene, type Station, tokenFrom } from "./scene.ts";

/** One way to be a hostile child, and what it is told or comes to. */
export interface HostileCase {
  readonly name: string;
  /** Attacks until it is told what it is told; answers that. Held children go on meanwhile. */
  attack(of: Attack): Promise<string>;
  readonly told: RegExp;
}

interface Attack {
  readonly root: Station;
  readonly token: JoinToken;
  /** An address that nobody else calls from. */
  readonly from: string;
  /** Kept until the end of the case. */
  readonly hold: <T extends Disposable>(child: T) => T;
}

const floodMs = 3_000;

function flooding(kind: Flood): HostileCase {
  return {
    name: `floods of ${kind}`,
    told: /ended|held/,
    attack: async ({ token, from }) => {
      const wasEnded = await flood(token, { kind, from, forMs: floodMs });
      return wasEnded ? "ended" : `held at what it reads in ${floodMs / 1_000} s`;
    },
  };
}

/** Calls until one is turned away; how that was said. */
async function callUntilShed(
  children: readonly HostileChild[],
  call: (child: HostileChild) => ReturnType<HostileChild["call"]>,
): Promise<string> {
  const isShed = (end: string): boolean => /grpc-status 8|OVERLOAD/.test(end);
  for (let made = 0; made < meshCallsBurstMax * 4; made += children.length * meshStreamsMax) {
    const calls = children.flatMap((child) =>
      Array.from({ length: meshStreamsMax }, () => endOf(call(child))),
    );
    const found = (await Promise.all(calls)).find(isShed);
    if (found !== undefined) return found;
  }
  return "never";
}

/** As many connections as it takes to be faster than a parent lets one be. */
function several(of: Attack, isForged: boolean): HostileChild[] {
  const { token, from, hold } = of;
  return Array.from({ length: 5 }, () => hold(new HostileChild(token, { from, isForged })));
}

export const hostileCases: readonly HostileCase[] = [
  {
    name: "twenty children that never read",
    told: /20 links/,
    attack: async ({ root, token, from, hold }) => {
      for (let n = 0; n < 20; n++)
        hold(new HostileChild(token, { from, windowBytes: 0 })).replicate(`mute-${n}`);
      return eventually("they are connected", async () => {
        const { children } = await root.admin.nodes.getStatus({});
        const count = children.filter(({ node }) => node.startsWith("mute-")).length;
        return count === 20 && `${count} links, each with one window of frames at most`;
      });
    },
  },
  {
    name: "a child that reads a byte a second",
    told: /\d+ bytes read/,
    attack: async ({ token, from, hold }) => {
      const stream = hold(new HostileChild(token, { from, windowBytes: 1 })).replicate("drip");
      stream.pause();
      let bytes = 0;
      for (let n = 0; n < 3; n++) {
        bytes += ((stream.read(1) as Buffer | null) ?? Buffer.alloc(0)).length;
        await sleep(1_000);
      }
      return `${bytes} bytes read`;
    },
  },
  {
    name: "two nodes of one name",
    told: /^TAKEN$/,
    attack: async ({ root, token, from, hold }) => {
      hold(new HostileChild(token, { from })).replicate("twin", { nodeId: 1 }).resume();
      await isConnected(root, "twin");
      return endOf(hold(new HostileChild(token, { from })).replicate("twin", { nodeId: 2 }));
    },
  },
  {
    name: "one node that connects twice",
    told: /^REPLACED$/,
    attack: async ({ root, token, from, hold }) => {
      const first = endOf(hold(new HostileChild(token, { from })).replicate("again"));
      await isConnected(root, "again");
      hold(new HostileChild(token, { from })).replicate("again").resume();
      return first;
    },
  },
  {
    name: "revoked while connected",
    told: /^REVOKED, then REVOKED$/,
    attack: async ({ root, from, hold }) => {
      const token = await tokenFrom(root, "traitor");
      const first = endOf(hold(new HostileChild(token, { from })).replicate("spy"));
      await isConnected(root, "spy");
      await root.admin.nodes.revokeChild({ name: "traitor" });
      const then = endOf(hold(new HostileChild(token, { from })).replicate("spy"));
      return `${await first}, then ${await then}`;
    },
  },
  {
    name: "a forged credential",
    told: /^REVOKED$/,
    attack: ({ token, from, hold }) =>
      endOf(hold(new HostileChild(token, { from, isForged: true })).replicate("mallory")),
  },
  {
    name: "a request larger than any",
    told: /grpc-status 8/,
    attack: ({ token, from, hold }) =>
      endOf(
        hold(new HostileChild(token, { from })).call(
          "Replicate",
          new Uint8Array(meshRequestBytesMax + 1),
        ),
      ),
  },
  {
    name: "a request that names what can not be",
    told: /^PROTOCOL holdings\[0\]: /,
    attack: ({ token, from, hold }) => {
      const ledger = { authority: new Uint8Array(9), project: "../../etc" };
      const request = create(ReplicateRequestSchema, {
        protocol: 1,
        node: "mallory",
        holdings: [{ ledger }],
      });
      const bytes = toBinary(ReplicateRequestSchema, request);
      return endOf(hold(new HostileChild(token, { from })).call("Replicate", bytes));
    },
  },
  {
    name: "more calls than any child makes",
    told: /OVERLOAD/,
    attack: (of) => callUntilShed(several(of, true), (child) => child.replicate("mallory")),
  },
  {
    name: "more documents than any child sends",
    told: /grpc-status 8/,
    attack: (of) => callUntilShed(several(of, false), (child) => child.document()),
  },
  {
    name: "more connections than any site has",
    told: /^\d+ connections turned away/,
    attack: async ({ token, from, hold }) => {
      const sockets = Array.from({ length: meshDialsBurstMax * 2 }, () =>
        hold(new PlainConnection(token, from)),
      );
      const turnedAway = (): number => sockets.filter(({ isClosed }) => isClosed).length;
      await eventually("some are turned away", () => turnedAway() > 0);
      return `${turnedAway()} connections turned away before TLS`;
    },
  },
  flooding("pings"),
  flooding("streams"),
  flooding("headers"),
  flooding("garbage"),
];

/** What one case came to, and how honest peers fared meanwhile. */
export interface HostileOutcome {
  readonly name: string;
  readonly told: string;
  /** Milliseconds from a commit to the app of the honest site: the slowest during the attack. */
  readonly honestMs: number;
  /** What the parent has taken more while it was attacked. */
  readonly memoryGrowthBytes: number | undefined;
}

/** Attacks the root while changes go on to the honest site. */
export async function playHostile(
  scene: Scene,
  hostile: HostileCase,
  n: number,
): Promise<HostileOutcome> {
  const { root, depot } = scene;
  const token = await tokenFrom(root, `hostile-${n}`);
  await using held = new AsyncDisposableStack();
  const before = memoryOf(root);
  let isOver = false;
  const attack = hostile
    .attack({ root, token, from: hostileAddress(n + 1), hold: (child) => held.use(child) })
    .finally(() => {
      isOver = true;
    });
  let honestMs = 0;
  for (let changes = 0; changes < 3 || (!isOver && changes < 100); changes++) {
    const startedMs = performance.now();
    await scene.app(depot, "horizon").sees(await scene.change("horizon"));
    honestMs = Math.max(honestMs, performance.now() - startedMs);
  }
  const told = await attack;
  const after = memoryOf(root);
  return {
    name: hostile.name,
    told,
    honestMs,
    memoryGrowthBytes:
      before === undefined || after === undefined ? undefined : Math.max(0, after - before),
  };
}

/** Two megabytes of a project that nobody else looks at: what a slow child is sent. */
export async function fillBulk({ root }: Scene): Promise<void> {
  await root.process.do(["init", "bulk"]);
  for (let commit = 0; commit < 3; commit++) {
    const entries = Array.from({ length: 300 }, (_, n) => {
      const name = `f-${commit}-${n}`;
      const flag = create(FlagSchema, { name, hash: 2, note: "x".repeat(1_900) });
      return { key: `flag/${name}`, value: toBinary(FlagSchema, flag) };
    });
    await root.admin.ledgers.commit({ ledger: { project: "bulk" }, entries, actor: "scene" });
  }
}

async function isConnected({ admin }: Station, name: string): Promise<void> {
  await eventually(`${name} is connected`, async () => {
    const { children } = await admin.nodes.getStatus({});
    return children.some(({ node }) => node === name);
  });
}
