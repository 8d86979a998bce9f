import { create } from "@bufbuild/protobuf";
import {
  type WatchRequest,
  WatchRequestSchema,
  type WatchResponse,
} from "../gen/headwater/v1/apps_pb.ts";
import { Backoff } from "./backoff.ts";
import { Deadline } from "./deadline.ts";
import { firstFrameMsMax, frameSilenceMsMax } from "./limits.ts";
import type { NodeCalls } from "./node-calls.ts";
import { pause, startTimer } from "./timer.ts";

export type WatchFrame = WatchResponse["frame"];

/** What a watcher works with. */
export interface WatcherParts {
  /** In the order in which they are tried. */
  readonly nodes: readonly NodeCalls[];
  readonly app: { readonly project: string; readonly version: string };
  /** Whether the app reports too. */
  readonly isReporting: boolean;
  /** From 0 to 1, without 1. */
  readonly random: () => number;
  /** The position of what is held, and how far it has come. */
  readonly held: () => { readonly position: Uint8Array; readonly progress: bigint };
  /** Takes up a frame; false when it does not follow from what is held. */
  readonly take: (frame: WatchFrame) => boolean;
  /** A stream after the first has begun: to another node, or to one that may know nothing any more. */
  readonly resumed: () => void;
  /** No frame has come for `frameSilenceMsMax`. */
  readonly fellSilent: () => void;
  /** A stream has ended or could not be opened. */
  readonly failed: (url: string, thrown: unknown) => void;
}

/** Keeps one stream of flags open, to the first node that serves them, for as long as it is let. */
export class Watcher {
  readonly #parts: WatcherParts;
  readonly #backoff: Backoff;
  #mustStartOver = false;
  #streamsCount = 0;
  #cancelSilence: () => void = () => {};

  constructor(parts: WatcherParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random);
  }

  /** Ends with the signal, and never fails. */
  async run(signal: AbortSignal): Promise<void> {
    const { nodes } = this.#parts;
    for (let at = 0; !signal.aborted; ) {
      const node = nodes[at];
      const hasServed = node !== undefined && (await this.#follow(node, signal));
      at = hasServed ? 0 : (at + 1) % nodes.length;
      await pause(this.#backoff.nextMs(), signal);
    }
    this.#cancelSilence();
  }

  /** Follows one stream to its end; answers whether a frame came that served. */
  async #follow(node: NodeCalls, signal: AbortSignal): Promise<boolean> {
    const deadline = new Deadline(signal);
    let hasServed = false;
    try {
      deadline.set(firstFrameMsMax);
      for await (const { frame } of node.watch(this.#request(), deadline.signal)) {
        deadline.set(frameSilenceMsMax);
        if (this.#isPassedOver(frame)) throw this.#holdingNothing();
        if (!hasServed) this.#begun();
        hasServed = true;
        this.#heard();
        if (!this.#parts.take(frame)) throw this.#startingOver();
      }
      throw new Error("the stream has ended");
    } catch (thrown) {
      if (!signal.aborted) this.#parts.failed(node.url, thrown);
    } finally {
      deadline.close();
    }
    return hasServed;
  }

  #request(): WatchRequest {
    const { app, held, isReporting } = this.#parts;
    const known = this.#mustStartOver ? undefined : held();
    this.#mustStartOver = false;
    return create(WatchRequestSchema, {
      project: app.project,
      version: app.version,
      position: known?.position ?? new Uint8Array(),
      progress: known?.progress ?? 0n,
      reports: isReporting,
    });
  }

  /** A node that holds nothing of the project serves nobody; it is waited for where it is the only one. */
  #isPassedOver(frame: WatchFrame): boolean {
    const isEmpty = frame.case !== undefined && frame.value.freshness === "EMPTY";
    return isEmpty && this.#parts.nodes.length > 1;
  }

  #holdingNothing(): Error {
    return new Error(`the node holds nothing of ${this.#parts.app.project} yet`);
  }

  #begun(): void {
    this.#backoff.reset();
    this.#streamsCount++;
    if (this.#streamsCount > 1) this.#parts.resumed();
  }

  #heard(): void {
    this.#cancelSilence();
    this.#cancelSilence = startTimer(frameSilenceMsMax, this.#parts.fellSilent);
  }

  #startingOver(): Error {
    this.#mustStartOver = true;
    return new Error("a frame does not follow from the flags held, asking for all of them");
  }
}
