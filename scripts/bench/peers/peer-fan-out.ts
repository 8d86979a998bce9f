import { openNode } from "../fan-out.ts";
import type { Bench, Figure } from "../figure.ts";
import { memoryClientsMin, perDelivery, type Side, takeTurns } from "../rounds.ts";
import { type FanOutPeer, fanOutPeers } from "./fan-out-peers.ts";
import { absenceOf } from "./peer-program.ts";
import { openPeer } from "./peer-server.ts";

/** One delta to many app streams, beside a change of what a peer serves to as many clients. */
function peerFanOut(peer: FanOutPeer): Bench {
  return async (tell) => {
    const program = peer.program.find();
    tell(program === undefined ? absenceOf(peer.program) : `${peer.name}: ${program}`);
    if (program === undefined) return [];
    try {
      return await figuresOf(peer, program);
    } catch (thrown) {
      // A peer that fails takes nothing from what else is measured.
      tell(`not measured: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      return [];
    }
  };
}

/** By name: each peer alone is a matter of a minute. */
export const peerFanOuts: Readonly<Record<string, Bench>> = Object.fromEntries(
  fanOutPeers.map((peer) => [`peers-fan-out ${peer.name}`, peerFanOut(peer)]),
);

async function figuresOf(peer: FanOutPeer, program: string): Promise<Figure[]> {
  const { name, count, flagsCount, roundsCount, warmUpsCount, isPrompt, ratioMax, open } = peer;
  await using stack = new AsyncDisposableStack();
  const { side: many, delta } = await openNode(stack, count, flagsCount);
  const { side: alone } = await openNode(stack, 1, flagsCount);
  const bytesCount = Buffer.from(delta, "base64").length;
  const sideOf = async (clientsCount: number): Promise<Side> =>
    openPeer(stack, stack.use(await open(program, { flagsCount, bytesCount })), clientsCount);
  const theirs = await sideOf(count);
  const theirAlone = await sideOf(1);
  await takeTurns([many, theirs, alone, theirAlone], roundsCount, warmUpsCount);
  const figures: Figure[] = [
    {
      name: `${workOf(peer)}: CPU per delivery`,
      unit: "us",
      samples: perDelivery({ many, alone }),
      beside: { name, samples: perDelivery({ many: theirs, alone: theirAlone }) },
      ratioMax,
    },
  ];
  if (isPrompt)
    figures.push({
      name: `${workOf(peer)}: change to the last`,
      unit: "ms",
      samples: many.lastMs,
      beside: { name, samples: theirs.lastMs },
      ratioMax,
    });
  if (count >= memoryClientsMin)
    figures.push({
      name: `memory of an app stream, of ${count}`,
      unit: "KiB",
      samples: [many.bytesOfOne / 1_024],
      beside: { name, samples: [theirs.bytesOfOne / 1_024] },
      ratioMax: 1,
    });
  return figures;
}

/** What is not as with most is said. */
function workOf({ count, flagsCount, roundsCount }: FanOutPeer): string {
  if (flagsCount <= 10) return `one delta to ${count} app streams`;
  return `one delta of ${flagsCount} flags to ${count} app streams, ${roundsCount} rounds`;
}
