import { create } from "@bufbuild/protobuf";
import { type WatchRequest, WatchRequestSchema } from "../gen/headwater/v1/apps_pb.ts";
import { Backoff } from "./backoff.ts";
import { frameSilenceMsMax } from "./limits.ts";
import type { NodeCalls } from "./node-calls.ts";
import { NodeStream, type WatchFrame } from "./node-stream.ts";
import { Search } from "./search.ts";
import { pause, startSilenceTimer } from "./timer.ts";

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

/** How a stream has ended. */
interface StreamEnd {
  /** Whether a frame came that served. */
  readonly hasServed: boolean;
  /** The stream to go on with. */
  readonly found: NodeStream | undefined;
}

/** Keeps one stream of flags open, to the first node that serves them, for as long as it is let. */
export class Watcher {
  readonly #parts: WatcherParts;
  readonly #backoff: Backoff;
  /** Whose last frame did not follow: it is asked for everything. Others may be behind what is held. */
  #mistaken: NodeCalls | undefined;
  #streamsCount = 0;
  #search: Search | undefined;
  #cancelSilence: () => void = () => {};

  constructor(parts: WatcherParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random);
  }

  /** Ends with the signal, and never fails. */
  async run(signal: AbortSignal): Promise<void> {
    const { nodes } = this.#parts;
    let found: NodeStream | undefined;
    for (let at = 0; !signal.aborted; ) {
      const stream = found ?? this.#open(nodes[at], signal);
      if (stream === undefined) break;
      const end = await this.#follow(stream, signal);
      found = end.found;
      if (found !== undefined) continue;
      at = end.hasServed ? 0 : (at + 1) % nodes.length;
      await pause(this.#backoff.nextMs(), signal);
    }
    found?.close();
    this.#cancelSilence();
  }

  /** Follows one stream to its end, or until another is found to go on with. */
  async #follow(stream: NodeStream, signal: AbortSignal): Promise<StreamEnd> {
    let hasServed = false;
    let found: NodeStream | undefined;
    const instead = (other: NodeStream): void => {
      found = other;
      stream.close();
    };
    try {
      for (;;) {
        const frame = await stream.next();
        // The other leads on from what was held before this frame.
        if (found !== undefined) break;
        if (this.#isPassedOver(frame)) throw this.#holdingNothing();
        if (!this.#parts.take(frame)) throw this.#startingOver(stream.node);
        this.#heard();
        if (!hasServed) this.#begun();
        hasServed = true;
        this.#searchAfter(frame, () => this.#newSearch(stream.node, instead, signal));
      }
    } catch (thrown) {
      if (!signal.aborted && found === undefined) this.#parts.failed(stream.node.url, thrown);
    } finally {
      this.#stopSearch();
      stream.close();
    }
    return { hasServed, found };
  }

  /** Whoever is FRESH is kept, and so is who is not, until another is found that is. */
  #searchAfter(frame: WatchFrame, newSearch: () => Search): void {
    if (frame.case === undefined || this.#parts.nodes.length < 2) return;
    if (frame.value.freshness === "FRESH") this.#stopSearch();
    else if (this.#search === undefined) {
      this.#search = newSearch();
      void this.#search.run();
    }
  }

  #newSearch(current: NodeCalls, found: (stream: NodeStream) => void, signal: AbortSignal): Search {
    const { nodes, random, held } = this.#parts;
    const at = nodes.indexOf(current);
    const open = (node: NodeCalls): NodeStream => new NodeStream(node, this.#request(node), signal);
    const others = [...nodes.slice(at + 1), ...nodes.slice(0, at)];
    return new Search({ nodes: others, random, held, open, found }, signal);
  }

  #stopSearch(): void {
    this.#search?.stop();
    this.#search = undefined;
  }

  #open(node: NodeCalls | undefined, signal: AbortSignal): NodeStream | undefined {
    return node && new NodeStream(node, this.#request(node), signal);
  }

  #request(node: NodeCalls): WatchRequest {
    const { app, held, isReporting } = this.#parts;
    const known = node === this.#mistaken ? undefined : held();
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
    this.#mistaken = undefined;
    this.#backoff.reset();
    this.#streamsCount++;
    if (this.#streamsCount > 1) this.#parts.resumed();
  }

  #heard(): void {
    this.#cancelSilence();
    this.#cancelSilence = startSilenceTimer(frameSilenceMsMax, this.#parts.fellSilent);
  }

  #startingOver(node: NodeCalls): Error {
    this.#mistaken = node;
    return new Error("a frame does not follow from the flags held, asking for all of them");
  }
}
