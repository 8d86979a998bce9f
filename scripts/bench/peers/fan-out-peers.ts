import { openEtcd } from "./etcd-peer.ts";
import { openFlagdPeer } from "./flagd-peer.ts";
import { openFlagdProxy } from "./flagd-proxy-peer.ts";
import { openGoFeatureFlag } from "./go-feature-flag-peer.ts";
import { openNats } from "./nats-peer.ts";
import {
  etcd,
  flagd,
  flagdProxy,
  goFeatureFlag,
  natsServer,
  type PeerProgram,
  unleashEdge,
} from "./peer-program.ts";
import type { PeerServer } from "./peer-server.ts";
import { openUnleashEdge } from "./unleash-edge-peer.ts";

/** Who is measured, and with how much of it. */
export interface FanOutPeer {
  readonly name: string;
  readonly program: PeerProgram;
  /** So many streams, of theirs as of ours. */
  readonly count: number;
  /** So many flags, of which one changes. */
  readonly flagsCount: number;
  readonly roundsCount: number;
  readonly warmUpsCount: number;
  /** Who only looks for changes from time to time says nothing of how long one takes. */
  readonly isPrompt: boolean;
  /** What is asked of ours beside it. */
  readonly ratioMax: number;
  /** With changes of about so many bytes, where that is not for the flags to say. */
  readonly open: (
    program: string,
    of: { flagsCount: number; bytesCount: number },
  ) => Promise<PeerServer & AsyncDisposable>;
}

const ofMany = {
  count: 1_000,
  flagsCount: 10,
  roundsCount: 20,
  warmUpsCount: 10,
  isPrompt: true,
  ratioMax: 1,
};

/**
 * flagd gathers, sorts and encodes all flags anew for each stream at each change: a thousand flags
 * are 8 ms of CPU for each stream, so that a thousand streams were minutes for a few changes.
 */
const ofManyFlags = { ...ofMany, count: 100, roundsCount: 10, warmUpsCount: 3 };

export const fanOutPeers: readonly FanOutPeer[] = [
  ...[
    { ...ofMany, flagsCount: 10 },
    { ...ofManyFlags, flagsCount: 100 },
    { ...ofManyFlags, count: 50, flagsCount: 1_000, ratioMax: 0.1 },
  ].map((of) => ({
    ...of,
    name: `flagd, ${of.flagsCount} flags`,
    program: flagd,
    open: (program: string) => openFlagdPeer(program, of.flagsCount),
  })),
  {
    ...ofMany,
    name: "flagd-proxy, 10 flags",
    program: flagdProxy,
    // It looks at its file once a second, and so long does each round take.
    isPrompt: false,
    warmUpsCount: 3,
    open: (program, { flagsCount }) => openFlagdProxy(program, flagsCount),
  },
  {
    ...ofMany,
    name: "GO Feature Flag, 10 flags",
    program: goFeatureFlag,
    open: (program, { flagsCount }) => openGoFeatureFlag(program, flagsCount),
  },
  {
    ...ofMany,
    name: "Unleash Edge, 10 flags",
    program: unleashEdge,
    open: (program, { flagsCount }) => openUnleashEdge(program, flagsCount),
  },
  {
    ...ofMany,
    name: "etcd",
    program: etcd,
    open: (program, { bytesCount }) => openEtcd(program, bytesCount),
  },
  {
    ...ofMany,
    name: "nats-server",
    program: natsServer,
    open: (program, { bytesCount }) => openNats(program, bytesCount),
  },
];
