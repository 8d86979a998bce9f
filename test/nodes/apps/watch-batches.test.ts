import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { WatchBatches } from "../../../nodes/apps/watch-batches.ts";
import { WatchGroup } from "../../../nodes/apps/watch-group.ts";
import { Watcher } from "../../../nodes/apps/watcher.ts";
import { FakeAccess } from "../fake-access.ts";

const project = "horizon";

class Bench {
  readonly batches = new WatchBatches();
  readonly seen: number[] = [];
  readonly group = new WatchGroup<Watcher>({ access: new FakeAccess(), project, release: "" });

  watcher(n: number): Watcher {
    const { group } = this;
    const position = new Uint8Array();
    const sink = { see: () => void this.seen.push(n) };
    return new Watcher({ version: "", position, progress: 0n, reports: true, group, sink });
  }
}

test("newcomers that never end leave half of each batch to those who are there", async () => {
  const bench = new Bench();
  for (let n = 0; n < 1_000; n++) bench.batches.greet(bench.watcher(n));
  const there = bench.watcher(-1);
  bench.group.enter(there);
  bench.batches.show([bench.group]);
  await turn();
  expect(bench.seen).toHaveLength(126);
  expect(bench.seen.at(-1)).toBe(-1);
  await turn();
  expect(bench.seen).toHaveLength(251);
});

test("who has gone before it was greeted is forgotten", async () => {
  const bench = new Bench();
  const gone = bench.watcher(0);
  bench.batches.greet(gone);
  bench.batches.greet(bench.watcher(1));
  bench.batches.forget(gone);
  await turn();
  expect(bench.seen).toEqual([1]);
});
