import type { Envelope } from "../../gen/headwater/v1/ledger_pb.ts";
import {
  type Alteration,
  type CheatingRelay,
  copyOf,
  type Frame,
  projectOf,
} from "./cheating-relay.ts";

export type Delta = Extract<Frame, { case: "delta" }>;
export type Chunk = Extract<Frame, { case: "snapshotChunk" }>;

export const project = "horizon";

/** Alters changes of the project, and passes everything else. */
export function onDelta(
  alter: (delta: Delta, relay: CheatingRelay) => readonly Frame[],
): Alteration {
  return (frame, relay) =>
    frame.case === "delta" && projectOf(frame) === project ? alter(frame, relay) : [frame];
}

export function altered(change: (delta: Delta["value"], relay: CheatingRelay) => void): Alteration {
  return onDelta((delta, relay) => {
    change(delta.value, relay);
    return [delta];
  });
}

/** Passes nothing of some kinds, about the project. */
export function without(...kinds: readonly Frame["case"][]): Alteration {
  return (frame) => (projectOf(frame) === project && kinds.includes(frame.case) ? [] : [frame]);
}

export function envelopeOf(delta: Delta["value"]): Envelope {
  if (delta.head === undefined) throw new Error("a delta without a head");
  return delta.head;
}

export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** Holds the first of two changes back until the second has gone. */
export function reordering(): Alteration {
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
export function losing(): Alteration {
  let hasLost = false;
  return onDelta((delta) => {
    if (hasLost) return [delta];
    hasLost = true;
    return [];
  });
}

/** A whole snapshot that says to be of the head of the last change, with these entries. */
export function snapshotWith(
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

export function chunkOf(
  ledger: Pick<Chunk["value"], "ledger">,
  index: number,
  entries: Chunk["value"]["entries"],
): Chunk {
  const value = { $typeName: "headwater.v1.SnapshotChunk" as const, ...ledger, index, entries };
  return { case: "snapshotChunk", value };
}
