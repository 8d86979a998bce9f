import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Envelope } from "../../gen/headwater/v1/ledger_pb.ts";
import { HeadSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import {
  type ReplicateResponse,
  ReplicateResponseSchema,
  SnapshotBeginSchema,
  SnapshotChunkSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import { frameReceivedBytesMax, ledgerBytesMax, sequenceMax } from "../../relay/limits.ts";
import { ledgerNameOf } from "../../relay/link/frame-ledgers.ts";
import type { Random } from "../../relay/random.ts";
import { payloadType, seal } from "../../relay/trust/envelope.ts";
import { bytesEqual, SigningKey } from "../../relay/trust/key.ts";
import type { FaultKind } from "./fault-kinds.ts";
import type { Cheat, Link } from "./link.ts";
import { seedOf } from "./mesh.ts";

type Frame = ReplicateResponse["frame"];

/** What a relay does to a frame on its way out: undefined leaves it as it is. */
type Trick = (of: {
  frame: Frame;
  bytes: Uint8Array;
  link: Link;
  random: Random;
  /** What it has seen before, the newest last. */
  seen: readonly Uint8Array[];
  overlay: Uint8Array | undefined;
}) => readonly Uint8Array[] | undefined;

const tricks = {
  "altered-entry": ({ frame }) => {
    const entries = entriesIn(frame);
    const [entry] = entries;
    const last = entry?.value.length ?? 0;
    if (entry === undefined || last === 0) return undefined;
    entry.value = entry.value.slice();
    entry.value[last - 1] = (entry.value[last - 1] ?? 0) ^ 1;
    return [encoded(frame)];
  },
  "dropped-entry": ({ frame }) => {
    if (entriesIn(frame).length === 0) return undefined;
    entriesIn(frame).pop();
    return [encoded(frame)];
  },
  "forged-head": ({ frame }) => {
    const envelope = headIn(frame);
    if (envelope === undefined) return undefined;
    forge(envelope);
    return [encoded(frame)];
  },
  "mixed-ledgers": ({ frame, overlay }) => {
    const name = ledgerIn(frame);
    if (name === undefined || overlay === undefined || bytesEqual(name.authority, overlay))
      return undefined;
    name.authority = overlay;
    return [encoded(frame)];
  },
  "reordered-frames": ({ bytes, seen }) => {
    const former = seen.at(-1);
    return former === undefined ? undefined : [bytes, former];
  },
  "replayed-head": ({ bytes, seen, random }) => {
    const old = seen[random.below(Math.max(1, seen.length))];
    return old === undefined ? undefined : [old, bytes];
  },
  /** Only signs of life pass. */
  withheld: ({ frame }) => {
    if (frame.case === "heartbeat")
      return [encoded({ case: "heartbeat", value: { ...frame.value, beats: [] } })];
    return frame.case === "delta" || frame.case === "snapshotEnd" ? [] : undefined;
  },
  "omitted-layer": ({ frame, overlay }) => {
    const name = ledgerIn(frame);
    const isLayer =
      name !== undefined && overlay !== undefined && bytesEqual(name.authority, overlay);
    return isLayer ? [] : undefined;
  },
  /** Changes and beats pass, and not what says who may sign and pin now. */
  "withheld-trust": ({ frame }) => (frame.case === "trustUpdate" ? [] : undefined),
  /** Begins what is never ended, instead of a change too. */
  "endless-snapshot": ({ frame, bytes }) => {
    if (frame.case === "snapshotEnd") return [];
    if (frame.case === "snapshotChunk") return [bytes, bytes, bytes, bytes];
    if (frame.case !== "delta" || frame.value.head === undefined) return undefined;
    const { ledger, head, entries } = frame.value;
    const { entriesCount } = fromBinary(HeadSchema, head.payload);
    const entriesBytes = BigInt(ledgerBytesMax);
    const begin = { ledger, head, entriesCount, entriesBytes, chunksCount: entriesCount };
    return [
      encoded({ case: "snapshotBegin", value: create(SnapshotBeginSchema, begin) }),
      encoded({
        case: "snapshotChunk",
        value: create(SnapshotChunkSchema, { ledger, index: 0, entries }),
      }),
    ];
  },
  "huge-frame": ({ random }) =>
    random.below(10) === 0 ? [new Uint8Array(frameReceivedBytesMax + 1)] : undefined,
} as const satisfies Partial<Record<FaultKind, Trick>>;

export type TrickName = keyof typeof tricks;

/** One shows nothing where there are no new roots: it is drawn apart, with one. */
export const trickNames = (Object.keys(tricks) as TrickName[]).filter(
  (name) => name !== "withheld-trust",
);

/** Frames that a cheating relay remembers. */
const seenMax = 50;

export function cheatOf(of: {
  trick: TrickName;
  random: Random;
  overlay: Uint8Array | undefined;
  fault: (kind: FaultKind) => void;
}): Cheat {
  const seen: Uint8Array[] = [];
  const trick: Trick = tricks[of.trick];
  return (link, bytes) => {
    const { frame } = fromBinary(ReplicateResponseSchema, new Uint8Array(bytes));
    const out = trick({ frame, bytes, link, random: of.random, seen, overlay: of.overlay });
    if (frame.case !== "welcome" && frame.case !== "goodbye") seen.push(bytes);
    if (seen.length > seenMax) seen.shift();
    if (out === undefined) return [bytes];
    of.fault(of.trick);
    return out;
  };
}

/** A head that says something else, signed with a key that nobody has granted. */
function forge(envelope: Envelope): void {
  const head = fromBinary(HeadSchema, envelope.payload);
  // A flipped bit can have made it the last that there is.
  if (head.position !== undefined) head.position.seq = (head.position.seq % sequenceMax) + 1;
  const payload = toBinary(HeadSchema, head);
  const keys = [new SigningKey(seedOf("a stranger's key"))];
  Object.assign(envelope, seal({ type: payloadType.head, payload, keys }));
}

function encoded(
  frame: MessageInitShape<typeof ReplicateResponseSchema>["frame"] & object,
): Uint8Array {
  return toBinary(ReplicateResponseSchema, create(ReplicateResponseSchema, { frame }));
}

function entriesIn(frame: Frame): { key: string; value: Uint8Array }[] {
  return frame.case === "delta" || frame.case === "snapshotChunk" ? frame.value.entries : [];
}

function headIn(frame: Frame): Envelope | undefined {
  return frame.case === "delta" || frame.case === "snapshotBegin" ? frame.value.head : undefined;
}

function ledgerIn(frame: Frame) {
  return frame.case === "offer" ? frame.value.ledger : ledgerNameOf(frame);
}
