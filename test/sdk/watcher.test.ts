import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { WatchRequest, WatchResponse } from "../../gen/headwater/v1/apps_pb.ts";
import { firstFrameMsMax, frameSilenceMsMax, searchMsMax, searchMsMin } from "../../sdk/limits.ts";
import type { NodeCalls } from "../../sdk/node-calls.ts";
import { Watcher, type WatcherParts } from "../../sdk/watcher.ts";
import { frameOf, positionOf, Queue } from "./small-node.ts";

/** A node without a network: its streams stay open and silent until the test says otherwise. */
class FakeNode implements NodeCalls {
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

let controller: AbortController;
let done: Promise<void>;

beforeEach(() => {
  vi.useFakeTimers();
  controller = new AbortController();
});

afterEach(async () => {
  controller.abort();
  await done;
  vi.useRealTimers();
});

/** With jitter at its highest, so that waits are their bounds. */
function watch(nodes: FakeNode[], given: Partial<WatcherParts> = {}) {
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
  done = watcher.run(controller.signal);
  return { problems, fellSilent, resumed };
}

describe("a stream", () => {
  test("that says nothing at first is given up", async () => {
    const node = new FakeNode("a");
    const { problems, fellSilent } = watch([node]);
    await vi.advanceTimersByTimeAsync(firstFrameMsMax - 1);
    expect(problems).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(problems).toEqual([expect.stringContaining("no answer for 20 s")]);
    expect(fellSilent).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(500);
    expect(node.requests).toHaveLength(2);
  });

  test("that falls silent is given up, and the flags with it", async () => {
    const node = new FakeNode("a");
    const { problems, fellSilent } = watch([node]);
    for (let beatsCount = 0; beatsCount < 5; beatsCount++) {
      await vi.advanceTimersByTimeAsync(15_000);
      await node.beat();
    }
    await vi.advanceTimersByTimeAsync(frameSilenceMsMax - 1);
    expect([problems, fellSilent.mock.calls]).toEqual([[], []]);
    await vi.advanceTimersByTimeAsync(1);
    expect(problems).toEqual([expect.stringContaining("no answer for 45 s")]);
    expect(fellSilent).toHaveBeenCalledOnce();
  });

  test("that is lost for a moment does not leave the flags unvouched for", async () => {
    const node = new FakeNode("a");
    const { fellSilent, resumed } = watch([node]);
    await node.beat();
    await node.end();
    await vi.advanceTimersByTimeAsync(500);
    expect(resumed).not.toHaveBeenCalled();
    await node.beat();
    await node.beat();
    await vi.advanceTimersByTimeAsync(frameSilenceMsMax - 1);
    expect(resumed).toHaveBeenCalledOnce();
    expect(fellSilent).not.toHaveBeenCalled();
  });

  test("asks from the position held, and from none when a frame did not fit", async () => {
    const node = new FakeNode("a");
    let fits = true;
    watch([node], { take: () => fits });
    await node.beat();
    await node.end();
    await vi.advanceTimersByTimeAsync(500);
    fits = false;
    await node.beat();
    await vi.advanceTimersByTimeAsync(500);
    fits = true;
    await node.beat();
    await node.end();
    await vi.advanceTimersByTimeAsync(500);
    const asked = node.requests.map(({ position }) => new TextDecoder().decode(position));
    expect(asked).toEqual(["one", "one", "", "one"]);
  });
});

test.each(["while a stream is open", "between attempts"])(
  "ends with its signal, leaving no timer, %s",
  async (when) => {
    const node = new FakeNode("a");
    const { problems } = watch([node]);
    await node.beat();
    if (when === "between attempts") await node.end();
    const problemsCount = problems.length;
    controller.abort();
    await done;
    expect(vi.getTimerCount()).toBe(0);
    expect(problems).toHaveLength(problemsCount);
  },
);

describe("between attempts", () => {
  test("it waits longer and longer, until a frame has come", async () => {
    const node = new FakeNode("a");
    node.isDown = true;
    watch([node]);
    for (const waitMs of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000]) {
      const attemptsCount = node.requests.length;
      await vi.advanceTimersByTimeAsync(waitMs - 1);
      expect(node.requests).toHaveLength(attemptsCount);
      await vi.advanceTimersByTimeAsync(1);
      expect(node.requests).toHaveLength(attemptsCount + 1);
    }
    // A connection alone proves nothing.
    node.isDown = false;
    await vi.advanceTimersByTimeAsync(30_000);
    await node.end();
    await vi.advanceTimersByTimeAsync(29_999);
    const attemptsCount = node.requests.length;
    await vi.advanceTimersByTimeAsync(1);
    expect(node.requests).toHaveLength(attemptsCount + 1);
    await node.beat();
    await node.end();
    await vi.advanceTimersByTimeAsync(500);
    expect(node.requests).toHaveLength(attemptsCount + 2);
  });

  test("it tries the nodes in their order, the first again after one that served", async () => {
    const order: string[] = [];
    const [first, second, third] = ["a", "b", "c"].map((url) => new FakeNode(url)) as [
      FakeNode,
      FakeNode,
      FakeNode,
    ];
    first.isDown = true;
    third.isDown = true;
    for (const node of [first, second, third]) {
      const push = node.requests.push.bind(node.requests);
      node.requests.push = (request) => {
        order.push(node.url);
        return push(request);
      };
    }
    watch([first, second, third]);
    await vi.advanceTimersByTimeAsync(500);
    expect(order.join("")).toBe("ab");
    await second.end();
    await vi.advanceTimersByTimeAsync(1_000 + 2_000 + 4_000);
    expect(order.join("")).toBe("abcab");
    await second.beat();
    await second.end();
    await vi.advanceTimersByTimeAsync(500);
    expect(order.join("")).toBe("abcaba");
  });
});

describe("while the node is STALE", () => {
  const held = { position: positionOf("one"), progress: 7n };

  function three(): [FakeNode, FakeNode, FakeNode] {
    return [new FakeNode("a"), new FakeNode("b"), new FakeNode("c")];
  }

  test("others are looked at one at a time, ever more seldom, and it is kept", async () => {
    const [stale, silent, down] = three();
    down.isDown = true;
    const { resumed } = watch([stale, silent, down], { held: () => held });
    const hourMs = 3_600_000;
    for (let ms = 0; ms < hourMs; ms += 1_000) {
      if (ms % 15_000 === 0) await stale.beat("one", "STALE");
      await vi.advanceTimersByTimeAsync(1_000);
      expect(silent.openCount).toBeLessThanOrEqual(1);
    }
    expect([stale.requests.length, stale.openCount]).toEqual([1, 1]);
    expect(silent.requests.length).toBeGreaterThan(20);
    // With jitter at its highest; on average it is twice as many.
    const looksMax = hourMs / searchMsMax + Math.log2(searchMsMax / searchMsMin) + 1;
    expect(silent.requests.length + down.requests.length).toBeLessThan(looksMax);
    expect(resumed).not.toHaveBeenCalled();
  });

  test("one that is STALE as well is not gone on with, and closed", async () => {
    const [first, second, third] = three();
    watch([first, second, third], { held: () => held });
    await first.beat("one", "STALE");
    await vi.advanceTimersByTimeAsync(searchMsMin);
    await second.beat("one", "STALE");
    expect([first, second].map(({ openCount }) => openCount)).toEqual([1, 0]);
    await vi.advanceTimersByTimeAsync(2 * searchMsMin);
    await third.beat("one");
    expect([first, second, third].map(({ openCount }) => openCount)).toEqual([0, 0, 1]);
    await vi.advanceTimersByTimeAsync(frameSilenceMsMax - 1);
    expect([first, second, third].map(({ requests }) => requests.length)).toEqual([1, 1, 1]);
  });

  test("the search ends when it is FRESH again", async () => {
    const [first, second, third] = three();
    watch([first, second, third], { held: () => held });
    await first.beat("one", "STALE");
    await vi.advanceTimersByTimeAsync(searchMsMin);
    expect(second.openCount).toBe(1);
    await first.beat();
    expect(second.openCount).toBe(0);
    await second.beat();
    for (let ms = 0; ms < 20 * searchMsMax; ms += 15_000) {
      await first.beat();
      await vi.advanceTimersByTimeAsync(15_000);
    }
    expect([first, second, third].map(({ requests }) => requests.length)).toEqual([1, 1, 0]);
  });

  test("what was asked from flags that have moved on meanwhile is not gone on with", async () => {
    const [first, second, third] = three();
    let now = held;
    watch([first, second, third], { held: () => now });
    await first.beat("one", "STALE");
    await vi.advanceTimersByTimeAsync(searchMsMin);
    now = { position: positionOf("two"), progress: 8n };
    await first.beat("two", "STALE");
    await second.beat("one");
    expect([first, second, third].map(({ openCount }) => openCount)).toEqual([1, 0, 0]);
  });

  test("the end leaves no timer, and no stream", async () => {
    const [first, second, third] = three();
    watch([first, second, third], { held: () => held });
    await first.beat("one", "STALE");
    await vi.advanceTimersByTimeAsync(searchMsMin);
    controller.abort();
    await done;
    await second.beat();
    expect([first, second, third].map(({ openCount }) => openCount)).toEqual([0, 0, 0]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
