import { openNode } from "../fan-out.ts";
import type { Bench, Figure } from "../figure.ts";
import { perDelivery, type Side, takeTurns } from "../rounds.ts";
import { openEtcd } from "./etcd-peer.ts";
import { openFlagdPeer } from "./flagd-peer.ts";
import { openNats } from "./nats-peer.ts";
import { absenceOf, etcd, flagd, natsServer, type PeerProgram } from "./peer-program.ts";
import { openPeer, type PeerServer } from "./peer-server.ts";

const appsCount = 1_000;

/** What a thousand flags of flagd cost as many clients is a matter of minutes. */
const appsOfManyFlagsCount = 100;

const roundsCount = 20;

interface Peer {
  readonly name: string;
  readonly count: number;
  readonly program: PeerProgram;
  /** What is asked of ours beside it. */
  readonly ratioMax: number;
  /** With changes of about so many bytes, where that is not for the flags to say. */
  readonly open: (program: string, bytesCount: number) => Promise<PeerServer & AsyncDisposable>;
}

const peers: readonly Peer[] = [
  ...[10, 100, 1_000].map((flagsCount) => ({
    name: `flagd, ${flagsCount} flags`,
    program: flagd,
    count: flagsCount === 1_000 ? appsOfManyFlagsCount : appsCount,
    ratioMax: flagsCount === 1_000 ? 0.1 : 1,
    open: (program: string) => openFlagdPeer(program, flagsCount),
  })),
  { name: "etcd", count: appsCount, program: etcd, ratioMax: 1, open: openEtcd },
  { name: "nats-server", count: appsCount, program: natsServer, ratioMax: 1, open: openNats },
];

/** One delta to many app streams, beside a change of what a peer serves to as many clients. */
function peerFanOut(peer: Peer): Bench {
  return async (tell) => {
    const program = peer.program.find();
    tell(program === undefined ? absenceOf(peer.program) : `${peer.name}: ${program}`);
    return program === undefined ? [] : figuresOf(peer, program);
  };
}

/** By name: each peer alone is a matter of a minute. */
export const peerFanOuts: Readonly<Record<string, Bench>> = Object.fromEntries(
  peers.map((peer) => [`peers-fan-out ${peer.name}`, peerFanOut(peer)]),
);

async function figuresOf(peer: Peer, program: string): Promise<Figure[]> {
  const { name, count, ratioMax, open } = peer;
  await using stack = new AsyncDisposableStack();
  const { side: many, delta } = await openNode(stack, count);
  const { side: alone } = await openNode(stack, 1);
  const bytesCount = Buffer.from(delta, "base64").length;
  const sideOf = async (clientsCount: number): Promise<Side> =>
    openPeer(stack, stack.use(await open(program, bytesCount)), clientsCount);
  const theirs = await sideOf(count);
  const theirAlone = await sideOf(1);
  await takeTurns([many, theirs, alone, theirAlone], roundsCount);
  return [
    {
      name: `one delta to ${count} app streams: CPU per delivery`,
      unit: "us",
      samples: perDelivery({ many, alone }),
      beside: { name, samples: perDelivery({ many: theirs, alone: theirAlone }) },
      ratioMax,
    },
    {
      name: `one delta to ${count} app streams: change to the last`,
      unit: "ms",
      samples: many.lastMs,
      beside: { name, samples: theirs.lastMs },
      ratioMax,
    },
    {
      name: `memory of an app stream, of ${count}`,
      unit: "KiB",
      samples: [many.bytesOfOne / 1_024],
      beside: { name, samples: [theirs.bytesOfOne / 1_024] },
      ratioMax: 1,
    },
  ];
}
