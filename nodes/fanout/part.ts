import { headers, type MsgHdrs } from "nats";
import { peerMessageBytesMax, peersCountMax } from "../../relay/limits.ts";

/** Which part of which message some bytes are. */
export interface Part {
  /** Random, one for each connection. */
  readonly sender: string;
  /** Counts the messages of a sender. */
  readonly number: number;
  readonly index: number;
  readonly count: number;
}

/** NATS counts headers into its payload; ours are below this. */
export const headerBytesMax = 256;

/** Where a server takes less, headers make a frame of `frameBytesMax` longer than a message may be. */
export const maxPayloadMin: number = 16 * 1024;

const headerName = "Headwater-Part";

/** A server takes no payload above its own limit, so what is larger travels in parts. */
export function cutIntoParts(bytes: Uint8Array, partBytesMax: number): Uint8Array[] {
  const count = Math.max(1, Math.ceil(bytes.length / partBytesMax));
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(index * partBytesMax, (index + 1) * partBytesMax),
  );
}

export function partHeaders({ sender, number, index, count }: Part): MsgHdrs {
  const made = headers();
  made.set(headerName, `${sender} ${number} ${index} ${count}`);
  return made;
}

/** Undefined when there is no such header: the bytes are the whole message. */
export function readPart(from: MsgHdrs | undefined): Part | undefined {
  const text = from?.get(headerName) ?? "";
  if (text === "") return undefined;
  const [sender = "", ...numbers] = text.split(" ");
  const [number = -1, index = -1, count = -1] = numbers.map(Number);
  return { sender, number, index, count };
}

interface Unfinished {
  readonly number: number;
  readonly parts: Uint8Array[];
  bytes: number;
}

/**
 * Puts parts together. NATS keeps the order of one sender, so parts of a message follow each
 * other, or something was lost and the message with it.
 */
export class PartJoiner {
  readonly #unfinished = new Map<string, Unfinished>();

  /** The whole message once its last part is there; "lost" when it can not be had any more. */
  join(part: Part, bytes: Uint8Array): Uint8Array | "unfinished" | "lost" {
    const unfinished = this.#continued(part);
    // Headers count too: parts without any bytes must have an end as well.
    const partBytes = bytes.length + headerBytesMax;
    if (unfinished === undefined || unfinished.bytes + partBytes > peerMessageBytesMax) {
      this.#unfinished.delete(part.sender);
      return "lost";
    }
    unfinished.parts.push(new Uint8Array(bytes));
    unfinished.bytes += partBytes;
    if (unfinished.parts.length < part.count) return "unfinished";
    this.#unfinished.delete(part.sender);
    return new Uint8Array(Buffer.concat(unfinished.parts));
  }

  #continued({ sender, number, index }: Part): Unfinished | undefined {
    if (index === 0) return this.#begun(sender, number);
    const known = this.#unfinished.get(sender);
    return known?.number === number && known.parts.length === index ? known : undefined;
  }

  #begun(sender: string, number: number): Unfinished {
    const [oldest] = this.#unfinished.keys();
    if (this.#unfinished.size >= peersCountMax && oldest !== undefined)
      this.#unfinished.delete(oldest);
    const begun: Unfinished = { number, parts: [], bytes: 0 };
    // Deleted first, so that the order of the map stays that of beginning.
    this.#unfinished.delete(sender);
    this.#unfinished.set(sender, begun);
    return begun;
  }
}
