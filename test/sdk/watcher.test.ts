import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { firstFrameMsMax, frameSilenceMsMax, wakeMsMax } from "../../sdk/limits.ts";
import { FakeNode, watch } from "./fake-node.ts";
import { positionOf } from "./small-node.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

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

  test("that a sleep has cut is given up soon after it, and the flags with it", async () => {
    const node = new FakeNode("a");
    const { problems, fellSilent } = watch([node]);
    await node.beat();
    vi.setSystemTime(Date.now() + 3_600_000);
    await vi.advanceTimersByTimeAsync(wakeMsMax);
    expect(problems).toEqual([expect.stringContaining("no answer for 45 s")]);
    expect(fellSilent).toHaveBeenCalledOnce();
    await vi.advanceTimersByTimeAsync(500);
    expect(node.requests).toHaveLength(2);
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
    await vi.advanceTimersByTimeAsync(1_000);
    fits = true;
    await node.beat();
    await node.end();
    await vi.advanceTimersByTimeAsync(500);
    const asked = node.requests.map(({ position }) => new TextDecoder().decode(position));
    expect(asked).toEqual(["one", "one", "", "one"]);
  });
});

describe("a frame that does not follow from what is held", () => {
  test("vouches for nothing, however often one comes", async () => {
    const node = new FakeNode("a");
    let fits = true;
    const { fellSilent } = watch([node], { take: () => fits });
    await node.beat();
    fits = false;
    for (let ms = 0; ms < 2 * frameSilenceMsMax; ms += 5_000) {
      await node.beat();
      await vi.advanceTimersByTimeAsync(5_000);
    }
    expect(fellSilent).toHaveBeenCalledOnce();
  });

  test("as the first of a stream is no reason to ask again soon, or to stay with the node", async () => {
    const [first, other] = [new FakeNode("a"), new FakeNode("b")];
    const { resumed } = watch([first, other], { take: () => false });
    await first.beat();
    await vi.advanceTimersByTimeAsync(500);
    await other.beat();
    await vi.advanceTimersByTimeAsync(999);
    expect([first, other].map(({ requests }) => requests.length)).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(1);
    expect([first, other].map(({ requests }) => requests.length)).toEqual([2, 1]);
    expect(resumed).not.toHaveBeenCalled();
  });

  test("does not lead another node to believe that nothing is held", async () => {
    const [first, other] = [new FakeNode("a"), new FakeNode("b")];
    first.isDown = true;
    let fits = true;
    watch([first, other], { take: () => fits });
    await vi.advanceTimersByTimeAsync(500);
    await other.beat();
    first.isDown = false;
    fits = false;
    await other.beat();
    await vi.advanceTimersByTimeAsync(500);
    expect(first.requests.at(-1)).toMatchObject({ position: positionOf("one"), progress: 7n });
  });
});

test.each(["while a stream is open", "between attempts"])(
  "ends with its signal, leaving no timer, %s",
  async (when) => {
    const node = new FakeNode("a");
    const { problems, stop } = watch([node]);
    await node.beat();
    if (when === "between attempts") await node.end();
    const problemsCount = problems.length;
    await stop();
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
