import { expect, test, vi } from "vitest";
import { type Clients, type Server, Side, takeTurns } from "../../scripts/bench/rounds.ts";

const process: Server["process"] = { cpuUs: async () => 0, residentBytes: async () => 0 };

/** Clients that hear of the first so many changes. */
function clientsThatHearOf(changesCount: number): Clients {
  let heardCount = 0;
  const ask = <T>(): Promise<T> =>
    heardCount++ < changesCount ? Promise.resolve(0 as T) : new Promise(() => {});
  return { worker: { ask }, count: 2, dial: async () => undefined };
}

test("each side has as many turns as are asked for, less those that warm up", async () => {
  const change = vi.fn<Server["change"]>(async () => undefined);
  const side = await Side.open({ process, change }, clientsThatHearOf(100));
  await takeTurns([side], 5, 2);
  expect(side.lastMs).toHaveLength(5);
  expect(change.mock.calls.map(([round]) => round)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test("a change that not all hear of is waited for no longer than that", async () => {
  vi.useFakeTimers();
  const side = await Side.open({ process, change: async () => undefined }, clientsThatHearOf(1));
  const turn = side.turn({ counts: true });
  await Promise.all([
    expect(turn).rejects.toThrow("2 clients have not all heard of a change in 120000 ms"),
    vi.advanceTimersByTimeAsync(120_000),
  ]);
  vi.useRealTimers();
});
