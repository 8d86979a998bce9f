import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { WatchRequest, WatchResponse } from "../../gen/headwater/v1/apps_pb.ts";
import { firstFrameMsMax, frameSilenceMsMax } from "../../sdk/limits.ts";
import type { NodeCalls } from "../../sdk/node-calls.ts";
import { Watcher, type WatcherParts } from "../../sdk/watcher.ts";
import { frameOf, positionOf, Queue } from "./small-node.ts";

/** A node without a network: its streams stay open and silent until the test says otherwise. */
class FakeNode implements NodeCalls {
  readonly url: string;
  readonly requests: WatchRequest[] = [];
  isDown = false;
  #stream = new Queue();

  constructor(url: string) {
    this.url = url;
  }

  async *watch(request: WatchRequest, signal: AbortSignal): AsyncGenerator<WatchResponse> {
    this.requests.push(request);
    if (this.isDown) throw new Error("down");
    const stream = new Queue();
    this.#stream = stream;
    signal.addEventListener("abort", () => stream.end());
    for (let frame = await stream.next(); frame !== undefined; frame = await stream.next()) {
      yield frame;
    }
    if (signal.aborted) throw signal.reason;
  }

  async beat(at = "one"): Promise<void> {
    this.#stream.push(frameOf({ heartbeat: at }));
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
