import {
  entryBytesMax,
  frameReceivedBytesMax,
  hopsCountMax,
  idleFramesBurstMax,
} from "../../relay/limits.ts";
import { payloadType, seal } from "../../relay/trust/envelope.ts";
import { SigningKey } from "../../relay/trust/key.ts";
import {
  altered,
  type Chunk,
  chunkOf,
  type Delta,
  envelopeOf,
  flipped,
  losing,
  onDelta,
  project,
  reordering,
  snapshotWith,
  without,
} from "./alterations.ts";
import {
  type Alteration,
  type CheatingRelay,
  copyOf,
  type Frame,
  projectOf,
} from "./cheating-relay.ts";

/** One way for a relay to cheat about `horizon`, and what the node below is expected to say. */
export interface Cheat {
  readonly name: string;
  readonly alter: Alteration;
  /** In its log or status; undefined: it has nothing to say, because nothing of it counts. */
  readonly says: RegExp | undefined;
  /** What the relay sends by itself, once a change has come by. */
  readonly sends?: (relay: CheatingRelay) => readonly Frame[];
  /** gRPC itself ends the link, with all that is on it. */
  readonly endsLink?: boolean;
  /** How many changes it takes to see that something is missing. */
  readonly changes?: number;
}

const mallory = new SigningKey(new Uint8Array(32).fill(13));

export const cheats: readonly Cheat[] = [
  {
    name: "a forged entry",
    alter: altered(({ entries }) => {
      const [first] = entries;
      if (first !== undefined) first.value = flipped(first.value, first.value.length - 1);
    }),
    says: /horizon: digest: the entries are not what the head has signed/,
  },
  {
    name: "an entry more",
    alter: altered(({ entries }) => {
      entries.push({ $typeName: "headwater.v1.Entry", key: "flag/c", value: new Uint8Array(0) });
    }),
    says: /horizon: digest: /,
  },
  {
    name: "an entry dropped",
    alter: altered((delta) => {
      delta.entries = delta.entries.slice(1);
    }),
    says: /horizon: digest: /,
  },
  {
    name: "an entry removed by a tombstone",
    alter: altered((delta) => {
      delta.entries = delta.entries.slice(1);
      delta.tombstones = ["flag/a"];
    }),
    says: /horizon: digest: /,
  },
  {
    name: "entries of two changes mixed",
    alter: altered((delta, relay) => {
      const former = relay.heard.filter(
        (frame): frame is Delta => frame.case === "delta" && projectOf(frame) === project,
      );
      const [a] = former.at(-2)?.value.entries ?? [];
      const [, b] = delta.entries;
      if (a !== undefined && b !== undefined) delta.entries = [a, b];
    }),
    says: /horizon: digest: /,
  },
  {
    name: "a change of one project under the name of another",
    alter: (frame) => {
      if (frame.case !== "delta" || projectOf(frame) !== "oslo") return [frame];
      const stolen = copyOf(frame);
      if (stolen.case === "delta" && stolen.value.ledger !== undefined)
        stolen.value.ledger.project = project;
      return [frame, stolen];
    },
    says: undefined,
  },
  {
    name: "an altered head",
    alter: altered((delta) => {
      const head = envelopeOf(delta);
      head.payload = flipped(head.payload, head.payload.length - 1);
    }),
    says: /horizon: head: /,
  },
  {
    name: "a head signed with another key",
    alter: altered((delta) => {
      const { payload } = envelopeOf(delta);
      delta.head = seal({ type: payloadType.head, payload, keys: [mallory] });
    }),
    says: /horizon: head: .* is not signed by its ledger key/,
  },
  {
    name: "a head with ten thousand signatures",
    alter: altered((delta) => {
      const head = envelopeOf(delta);
      const [first] = head.signatures;
      if (first !== undefined) head.signatures = Array.from({ length: 10_000 }, () => first);
    }),
    says: /horizon: head: /,
  },
  {
    name: "a lost change",
    alter: losing(),
    says: /horizon: a delta is missing/,
    changes: 2,
  },
  {
    name: "changes out of order",
    alter: reordering(),
    says: /horizon: a delta is missing/,
    changes: 2,
  },
  {
    name: "each change once more",
    alter: onDelta((delta) => [delta, copyOf(delta), copyOf(delta)]),
    says: undefined,
  },
  {
    name: "an old valid head",
    alter: without("delta"),
    sends: (relay) =>
      relay.heard.filter((frame) => frame.case === "delta" && projectOf(frame) === project),
    says: undefined,
  },
  {
    name: "updates withheld",
    alter: without("delta", "heartbeat"),
    says: undefined,
  },
  {
    name: "an empty upstream",
    alter: without("delta", "heartbeat"),
    sends: (relay) => {
      const offer = copyOf(relay.last("offer", project));
      if (offer.case === "offer") offer.value.outcome = "EMPTY";
      return [offer];
    },
    says: undefined,
  },
  {
    name: "an empty snapshot",
    alter: without("delta"),
    sends: (relay) => snapshotWith(relay, { entries: [], entriesCount: 0, chunksCount: 0 }),
    says: /horizon: entries_count: not what the head has signed/,
  },
  {
    name: "a snapshot of other entries",
    alter: without("delta"),
    sends: (relay) =>
      snapshotWith(relay, {
        entries: ["a", "b"].map((name) => ({
          $typeName: "headwater.v1.Entry",
          key: `flag/${name}`,
          value: new Uint8Array(4),
        })),
      }),
    says: /horizon: digest: /,
  },
  {
    name: "half a snapshot",
    alter: without("delta"),
    sends: (relay) => snapshotWith(relay, { entries: [] }).slice(0, 1),
    says: undefined,
  },
  {
    name: "endless chunks",
    alter: without("delta"),
    sends: (relay) => {
      const [begin, chunk] = snapshotWith(relay, { entries: [] });
      const ledger = { ledger: relay.last("delta", project).value.ledger };
      const chunks = Array.from({ length: 2_000 }, (_, index) =>
        chunkOf(ledger as Pick<Chunk["value"], "ledger">, index, []),
      );
      return begin === undefined || chunk === undefined ? [] : [begin, ...chunks];
    },
    says: /horizon: index: chunk 1/,
  },
  {
    name: "an entry larger than any",
    alter: altered(({ entries }) => {
      const [first] = entries;
      if (first !== undefined) first.value = new Uint8Array(entryBytesMax + 1);
    }),
    says: /horizon: flag\/a: value of 16385 bytes|horizon: .*16384/,
  },
  {
    name: "a frame larger than any",
    alter: altered(({ entries }) => {
      const [first] = entries;
      if (first !== undefined) first.value = new Uint8Array(frameReceivedBytesMax + 1);
    }),
    says: /has sent something that is no frame/,
    endsLink: true,
  },
  {
    name: "a way without end",
    alter: (frame) => [frame],
    sends: (relay) => {
      const offer = copyOf(relay.last("offer", project));
      if (offer.case === "offer")
        offer.value.hops = Array.from({ length: hopsCountMax + 1 }, () => new Uint8Array(8));
      return [offer];
    },
    says: /horizon: hops: /,
  },
  {
    name: "heartbeats without end",
    alter: (frame) => [frame],
    sends: () =>
      Array.from({ length: 2 * idleFramesBurstMax }, () => ({
        case: "heartbeat",
        value: { $typeName: "headwater.v1.Heartbeat", beats: [] },
      })),
    says: /floods this node with frames of no use/,
  },
  {
    name: "a goodbye for ever",
    alter: (frame) => [frame],
    sends: () => [
      {
        case: "goodbye",
        value: {
          $typeName: "headwater.v1.Goodbye",
          reason: "DRAIN",
          retryAfterMs: 1,
          message: "\u001b[31m".repeat(10_000),
        },
      },
    ],
    says: /the parent is stopping/,
  },
];
