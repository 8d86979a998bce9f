import { onTestFinished, vi } from "vitest";
import type { WatchRequest, WatchResponse } from "../../gen/headwater/v1/apps_pb.ts";
import type { NodeCalls } from "../../sdk/node-calls.ts";
import { Watcher, type WatcherParts } from "../../sdk/watcher.ts";
import { frameOf, positionOf, Queue } from "./small-node.ts";

/** A node without a network: its streams stay open and silent until the test says otherwise. */
export class FakeNode implements NodeCalls {
  readonly url: string;
  readonly requests: WatchRequest[] = [];
  isDown = false;
  /** How many streams are open at the moment. */
  openCount = 0;
  #stream = new Queue();

  constructor(url: string) {
    this.url = url;
  }

  async *watch(request: WatchRequest, signal: AbortSignal): AsyncGenerator<WatchResponse> {
    this.requests.push(request);
    if (this.isDown) throw new Error("down");
    const stream = new Queue();
    this.#stream = stream;
    this.openCount++;
    signal.addEventListener("abort", () => {
      this.openCount--;
      stream.end();
    });
    for (let frame = await stream.next(); frame !== undefined; frame = await stream.next()) {
      yield frame;
    }
    if (signal.aborted) throw signal.reason;
  }

  async beat(at = "one", freshness = "FRESH"): Promise<void> {
    this.#stream.push(frameOf({ heartbeat: at, freshness }));
    await vi.advanceTimersByTimeAsync(0);
  }

  async end(): Promise<void> {
    this.#stream.end();
    await vi.advanceTimersByTimeAsync(0);
  }

  report(): Promise<never> {
    return Promise.reject(new Error("not asked for"));
  }
}

/** Until the end of the test; with jitter at its highest, so that waits are their bounds. */
export function watch(nodes: FakeNode[], given: Partial<WatcherParts> = {}) {
  const problems: string[] = [];
  const fellSilent = vi.fn<() => void>();
  const resumed = vi.fn<() => void>();
  const watcher = new Watcher({
    nodes,
    app: { project: "horizon", version: "2.3.0" },
    isReporting: true,
    random: () => 1,
    held: () => ({ position: positionOf("one"), progress: 7n }),
    take: () => true,
    resumed,
    fellSilent,
    failed: (url, thrown) => problems.push(`${url}: ${String(thrown)}`),
    ...given,
  });
  const controller = new AbortController();
  const done = watcher.run(controller.signal);
  const stop = (): Promise<void> => {
    controller.abort();
    return done;
  };
  onTestFinished(stop);
  return { problems, fellSilent, resumed, stop };
}
