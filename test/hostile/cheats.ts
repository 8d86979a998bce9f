import type { Envelope } from "../../gen/headwater/v1/ledger_pb.ts";
import {
  entryBytesMax,
  frameReceivedBytesMax,
  hopsCountMax,
  idleFramesBurstMax,
} from "../../relay/limits.ts";
import { payloadType, seal } from "../../relay/trust/envelope.ts";
import { SigningKey } from "../../relay/trust/key.ts";
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

type Delta = Extract<Frame, { case: "delta" }>;
type Chunk = Extract<Frame, { case: "snapshotChunk" }>;

const project = "horizon";
const mallory = new SigningKey(new Uint8Array(32).fill(13));

/** Alters changes of the project, and passes everything else. */
function onDelta(alter: (delta: Delta, relay: CheatingRelay) => readonly Frame[]): Alteration {
  return (frame, relay) =>
    frame.case === "delta" && projectOf(frame) === project ? alter(frame, relay) : [frame];
}

function altered(change: (delta: Delta["value"], relay: CheatingRelay) => void): Alteration {
  return onDelta((delta, relay) => {
    change(delta.value, relay);
    return [delta];
  });
}

/** Passes nothing of some kinds, about the project. */
function without(...kinds: readonly Frame["case"][]): Alteration {
  return (frame) => (projectOf(frame) === project && kinds.includes(frame.case) ? [] : [frame]);
}

function envelopeOf(delta: Delta["value"]): Envelope {
  if (delta.head === undefined) throw new Error("a delta without a head");
  return delta.head;
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** Holds the first of two changes back until the second has gone. */
function reordering(): Alteration {
  let held: Delta | undefined;
  return onDelta((delta) => {
    if (held === undefined) {
      held = copyOf(delta) as Delta;
      return [];
    }
    return [delta, held];
  });
}

/** Lets the first go missing. */
function losing(): Alteration {
  let hasLost = false;
  return onDelta((delta) => {
    if (hasLost) return [delta];
    hasLost = true;
    return [];
  });
}

/** A whole snapshot that says to be of the head of the last change, with these entries. */
function snapshotWith(
  relay: CheatingRelay,
  of: { entries: Delta["value"]["entries"]; entriesCount?: number; chunksCount?: number },
): Frame[] {
  const { value } = relay.last("delta", project);
  const { entries, entriesCount = 2, chunksCount = 1 } = of;
  const ledger = value.ledger === undefined ? {} : { ledger: value.ledger };
  return [
    {
      case: "snapshotBegin",
      value: {
        $typeName: "headwater.v1.SnapshotBegin",
        ...ledger,
        head: envelopeOf(value),
        entriesCount,
        entriesBytes: 1_000_000n,
        chunksCount,
      },
    },
    chunkOf(ledger, 0, entries),
    { case: "snapshotEnd", value: { $typeName: "headwater.v1.SnapshotEnd", ...ledger } },
  ];
}

function chunkOf(
  ledger: Pick<Chunk["value"], "ledger">,
  index: number,
  entries: Chunk["value"]["entries"],
): Chunk {
  const value = { $typeName: "headwater.v1.SnapshotChunk" as const, ...ledger, index, entries };
  return { case: "snapshotChunk", value };
}

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
