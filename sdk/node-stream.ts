import type { WatchRequest, WatchResponse } from "../gen/headwater/v1/apps_pb.ts";
import { Deadline } from "./deadline.ts";
import { firstFrameMsMax, frameSilenceMsMax } from "./limits.ts";
import type { NodeCalls } from "./node-calls.ts";

export type WatchFrame = WatchResponse["frame"];

/** One stream of flags, from one node, until it is closed or the signal says so. */
export class NodeStream {
  readonly node: NodeCalls;
  readonly #deadline: Deadline;
  readonly #frames: AsyncIterator<WatchFrame>;
  /** One that was looked at and not taken yet. */
  #seen: WatchFrame | undefined;

  constructor(node: NodeCalls, request: WatchRequest, signal: AbortSignal) {
    this.node = node;
    this.#deadline = new Deadline(signal);
    this.#deadline.set(firstFrameMsMax);
    this.#frames = framesOf(node, request, this.#deadline.signal);
  }

  /** @throws whatever has ended the stream */
  async next(): Promise<WatchFrame> {
    const seen = this.#seen;
    this.#seen = undefined;
    return seen ?? (await this.#read());
  }

  /** The frame that is next; called again only after `next`. */
  async look(): Promise<WatchFrame> {
    this.#seen = await this.#read();
    return this.#seen;
  }

  close(): void {
    this.#deadline.close();
  }

  async #read(): Promise<WatchFrame> {
    const read = await this.#frames.next();
    // A frame that was on its way when the stream was closed: no deadline must be set any more.
    this.#deadline.signal.throwIfAborted();
    if (read.done === true) throw new Error("the stream has ended");
    this.#deadline.set(frameSilenceMsMax);
    return read.value;
  }
}

/** The call is made when the first frame is asked for. */
async function* framesOf(
  node: NodeCalls,
  request: WatchRequest,
  signal: AbortSignal,
): AsyncGenerator<WatchFrame> {
  for await (const { frame } of node.watch(request, signal)) yield frame;
}
