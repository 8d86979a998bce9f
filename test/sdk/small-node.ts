import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { create } from "@bufbuild/protobuf";
import { type Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import {
  EffectiveFlagSchema,
  FlagService,
  type ReportRequest,
  TelemetryService,
  type WatchRequest,
  type WatchResponse,
  WatchResponseSchema,
} from "../../gen/headwater/v1/apps_pb.ts";

/** A flag as the tests write it: everybody or nobody, or basis points. */
type Shares = Readonly<Record<string, number>>;

/** A frame as the tests write it; a position is one word. */
export type Frame =
  | { table: Shares; at: string; freshness?: string; progress?: bigint }
  | { delta: Shares; from: string; at: string; removed?: string[]; freshness?: string }
  | { heartbeat: string; freshness?: string; progress?: bigint };

export function frameOf(frame: Frame): WatchResponse {
  const freshness = frame.freshness ?? "FRESH";
  if ("heartbeat" in frame) {
    const { progress = 0n } = frame;
    const value = { freshness, progress, position: positionOf(frame.heartbeat) };
    return create(WatchResponseSchema, { frame: { case: "heartbeat", value } });
  }
  const position = positionOf(frame.at);
  if ("table" in frame) {
    const { progress = 0n } = frame;
    const value = { freshness, position, progress, flags: flagsOf(frame.table) };
    return create(WatchResponseSchema, { frame: { case: "table", value } });
  }
  const { removed = [] } = frame;
  const previous = positionOf(frame.from);
  const value = { freshness, position, previous, removed, flags: flagsOf(frame.delta) };
  return create(WatchResponseSchema, { frame: { case: "delta", value } });
}

export function positionOf(word: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(word);
}

function flagsOf(shares: Shares) {
  return Object.entries(shares).map(([name, basisPoints]) =>
    create(EffectiveFlagSchema, {
      name,
      basisPoints,
      hash: 2,
      reason: basisPoints === 0 ? "OFF" : basisPoints === 10_000 ? "FULL" : "ROLLOUT",
    }),
  );
}

/** Stands in for a node: a real server, which says what the test tells it to. */
export class SmallNode {
  readonly watches: WatchRequest[] = [];
  readonly reports: ReportRequest[] = [];
  /** What every stream begins with, but those that have that position already. */
  first: Frame | undefined;
  nextAfterMs = 0;
  refusal: Code | undefined;
  readonly #server: Server;
  readonly #streams = new Set<Queue>();

  private constructor(first: Frame | undefined) {
    this.first = first;
    const handler = connectNodeAdapter({ routes: (router) => this.#routes(router) });
    this.#server = createServer(handler);
  }

  /** On a free port, or on that of a node that was there before. */
  static async start(first?: Frame, url?: string): Promise<SmallNode> {
    const node = new SmallNode(first);
    const port = url === undefined ? 0 : Number(new URL(url).port);
    await new Promise<void>((resolve, reject) => {
      node.#server.once("error", reject);
      node.#server.listen(port, "127.0.0.1", resolve);
    });
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get streamsCount(): number {
    return this.#streams.size;
  }

  /** To every app that watches. */
  send(frame: Frame): void {
    for (const stream of this.#streams) stream.push(frameOf(frame));
  }

  async stop(): Promise<void> {
    for (const stream of this.#streams) stream.end();
    const stopped = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
  }

  #routes(router: ConnectRouter): void {
    router.service(FlagService, {
      watch: (request, { signal }) => this.#watch(request, signal),
      evaluate: () => ({ enabled: false, reason: "UNKNOWN_FLAG", freshness: "FRESH" }),
    });
    router.service(TelemetryService, {
      report: (request) => {
        this.reports.push(request);
        if (this.refusal !== undefined) throw new ConnectError("as told", this.refusal);
        return { nextAfterMs: this.nextAfterMs };
      },
    });
  }

  async *#watch(request: WatchRequest, signal: AbortSignal): AsyncGenerator<WatchResponse> {
    this.watches.push(request);
    const stream = new Queue();
    this.#streams.add(stream);
    signal.addEventListener("abort", () => stream.end(), { once: true });
    try {
      if (this.first !== undefined) yield this.#opening(this.first, request.position);
      for (let frame = await stream.next(); frame !== undefined; frame = await stream.next()) {
        yield frame;
      }
    } finally {
      this.#streams.delete(stream);
    }
  }

  #opening(first: Frame, held: Uint8Array): WatchResponse {
    const at = "at" in first ? first.at : first.heartbeat;
    const isSame = at !== "" && at === new TextDecoder().decode(held);
    const { freshness = "FRESH" } = first;
    return frameOf(isSame ? { heartbeat: at, freshness } : first);
  }
}

/** Frames on their way to one stream. */
export class Queue {
  readonly #frames: (WatchResponse | undefined)[] = [];
  #wake: () => void = () => {};

  push(frame: WatchResponse): void {
    this.#frames.push(frame);
    this.#wake();
  }

  end(): void {
    this.#frames.push(undefined);
    this.#wake();
  }

  /** Undefined at the end. */
  async next(): Promise<WatchResponse | undefined> {
    if (this.#frames.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#frames.shift();
  }
}
