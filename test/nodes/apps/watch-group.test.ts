import { expect, test } from "vitest";
import { WatchGroup } from "../../../nodes/apps/watch-group.ts";
import { roundsPerHeartbeat, Watcher } from "../../../nodes/apps/watcher.ts";
import { staleAfterMs } from "../../../relay/cadence.ts";
import { FlagTable, type FlagTableChange } from "../../../relay/layers/flag-table.ts";
import { FakeAccess, type FakeProject, flagAt } from "../fake-access.ts";

const project = "horizon";

class Bench {
  readonly access = new FakeAccess();
  readonly horizon: FakeProject = this.access.project(project, {
    tables: new Map([["", new FlagTable("", [flagAt("new-scheduler", 500)])]]),
  });
  readonly group = new WatchGroup<Watcher>({ access: this.access, project, release: "" });

  /** A watcher that has come and has taken nothing yet. */
  watcher(position: Uint8Array = new Uint8Array(), progress = 0n): Watcher {
    return this.enter({ position, progress, see: () => undefined });
  }

  enter(of: { position: Uint8Array; progress: bigint; see: () => void }): Watcher {
    const { group } = this;
    const watcher = new Watcher({ version: "", reports: true, group, sink: of, ...of });
    group.enter(watcher);
    return watcher;
  }

  set(name: string, basisPoints: number): FlagTableChange {
    const values = new Map([[name, flagAt(name, basisPoints)]]);
    const change = this.horizon.tables.get("")?.update(values);
    if (change === undefined) throw new Error("the test changes nothing");
    return change;
  }
}

test("all who watch the same get the same message, made once", () => {
  const bench = new Bench();
  const [a, b] = [bench.watcher(), bench.watcher()];
  const table = a.take();
  expect(table?.frame.case).toBe("table");
  expect(b.take()).toBe(table);
  bench.set("fast-path", 100);
  const delta = a.take();
  expect(delta?.frame.case).toBe("delta");
  expect(b.take()).toBe(delta);
});

test("the complete table is made anew when it or its freshness is another", () => {
  const bench = new Bench();
  const first = bench.watcher().take();
  bench.horizon.freshness = "STALE";
  const second = bench.watcher().take();
  expect(second?.frame.value).toMatchObject({ freshness: "STALE" });
  expect(second).not.toBe(first);
  bench.set("fast-path", 100);
  expect(bench.watcher().take()?.frame.value).toMatchObject({
    flags: [{ name: "new-scheduler" }, { name: "fast-path" }],
  });
});

test("who has not taken a delta is owed one that leads to now, and nothing else", () => {
  const bench = new Bench();
  const slow = bench.watcher();
  slow.take();
  const { position: previous } = bench.group.now();
  for (let basisPoints = 1; basisPoints <= 100; basisPoints++) bench.set("fast-path", basisPoints);
  const frame = slow.take()?.frame;
  expect(frame).toMatchObject({
    case: "delta",
    value: {
      previous,
      position: bench.group.now().position,
      flags: [{ name: "fast-path", basisPoints: 100 }],
      removed: [],
    },
  });
  expect(slow.take()).toBeUndefined();
  bench.set("fast-path", 200);
  expect(slow.take()?.frame.case).toBe("delta");
});

test("apps that come back share what has changed since, of the freshness and progress of now", () => {
  const bench = new Bench();
  bench.set("fast-path", 100);
  bench.set("wide-path", 100);
  const { position } = bench.group.now();
  bench.set("fast-path", 200);
  bench.set("gone", 1);
  bench.horizon.tables.get("")?.update(new Map([["gone", undefined]]));
  const first = bench.watcher(position).take();
  expect(first?.frame).toMatchObject({
    case: "delta",
    value: {
      previous: position,
      freshness: "FRESH",
      progress: 1n,
      flags: [{ name: "fast-path", basisPoints: 200 }],
      removed: ["gone"],
    },
  });
  expect(bench.watcher(position).take()).toBe(first);
  bench.horizon.freshness = "STALE";
  const stale = bench.watcher(position).take();
  expect(stale?.frame).toMatchObject({ case: "delta", value: { freshness: "STALE" } });
  bench.horizon.sequence = 2;
  expect(bench.watcher(position).take()?.frame).toMatchObject({ value: { progress: 2n } });
});

test("an app gets the whole table for a position that the node does not know, or that is none", () => {
  const bench = new Bench();
  bench.set("fast-path", 100);
  for (const position of [new Uint8Array(32).fill(7), new Uint8Array(500_000)])
    expect(bench.watcher(position).take()?.frame.case).toBe("table");
});

test("who has not taken the first table gets the newest one only", () => {
  const bench = new Bench();
  const slow = bench.watcher();
  bench.set("fast-path", 100);
  bench.set("fast-path", 200);
  expect(slow.take()?.frame.value).toMatchObject({ position: bench.group.now().position });
  expect(slow.take()).toBeUndefined();
});

test("a heartbeat is owed when freshness is another, and after some rounds of silence", () => {
  const bench = new Bench();
  const watcher = bench.watcher();
  watcher.take();
  const { position } = bench.set("fast-path", 100);
  bench.horizon.freshness = "STALE";
  for (let round = 1; round < roundsPerHeartbeat; round++) watcher.passRound();
  expect(watcher.take()?.frame).toMatchObject({
    case: "delta",
    value: { position, freshness: "STALE" },
  });
  expect(watcher.take()).toBeUndefined();
  for (let round = 1; round < roundsPerHeartbeat; round++) {
    expect(watcher.take()).toBeUndefined();
    watcher.passRound();
  }
  expect(watcher.take()?.frame).toMatchObject({
    case: "heartbeat",
    value: { position, freshness: "STALE" },
  });
  bench.horizon.freshness = "EXPIRED";
  expect(watcher.take()?.frame).toMatchObject({
    case: "heartbeat",
    value: { position, freshness: "EXPIRED" },
  });
  expect(watcher.take()).toBeUndefined();
});

test("a heartbeat says how far the node has come while the table stayed as it is", () => {
  const bench = new Bench();
  const watcher = bench.watcher();
  expect(watcher.take()?.frame.value).toMatchObject({ progress: 1n });
  bench.horizon.sequence = 5;
  expect(watcher.take()).toBeUndefined();
  for (let round = 1; round < roundsPerHeartbeat; round++) watcher.passRound();
  expect(watcher.take()?.frame).toMatchObject({ case: "heartbeat", value: { progress: 5n } });
});

test("a change that the first table has already is not sent again", () => {
  const bench = new Bench();
  const watcher = bench.watcher();
  const { position } = bench.set("fast-path", 100);
  expect(watcher.take()?.frame).toMatchObject({ case: "table", value: { position } });
  expect(watcher.take()).toBeUndefined();
});

test("who has missed a change that was taken back is owed nothing", () => {
  const bench = new Bench();
  const slow = bench.watcher();
  slow.take();
  bench.set("new-scheduler", 0);
  bench.set("new-scheduler", 500);
  expect(slow.take()).toBeUndefined();
});

test("a project that becomes empty leaves its apps the table that they have", () => {
  const bench = new Bench();
  const watcher = bench.watcher();
  watcher.take();
  const { position } = bench.group.now();
  bench.set("fast-path", 100);
  bench.set("fast-path", 200);
  bench.horizon.freshness = "EMPTY";
  expect(watcher.take()?.frame).toMatchObject({
    case: "heartbeat",
    value: { position, freshness: "EMPTY" },
  });
  expect(watcher.take()).toBeUndefined();
  bench.horizon.freshness = "FRESH";
  expect(watcher.take()?.frame).toMatchObject({ case: "delta", value: { previous: position } });
});

test("an app that comes from a node that knew more keeps what it has until this one has caught up", () => {
  const bench = new Bench();
  const had = new Uint8Array(32).fill(7);
  const ahead = bench.watcher(had, 3n);
  const keeps = { case: "heartbeat", value: { position: had, freshness: "STALE", progress: 1n } };
  expect(ahead.take()?.frame).toMatchObject(keeps);
  bench.horizon.sequence = 2;
  bench.set("fast-path", 100);
  expect(ahead.take()).toBeUndefined();
  for (let round = 1; round < roundsPerHeartbeat; round++) ahead.passRound();
  expect(ahead.take()?.frame).toMatchObject({ ...keeps, value: { progress: 2n } });
  bench.horizon.sequence = 3;
  bench.set("fast-path", 200);
  expect(ahead.take()?.frame).toMatchObject({
    case: "table",
    value: { freshness: "FRESH", progress: 3n },
  });
  expect(ahead.take()).toBeUndefined();
});

test("a change that leads from what the app has to something older is not for it", () => {
  const bench = new Bench();
  const ahead = bench.watcher(bench.group.now().position, 3n);
  expect(ahead.take()?.frame).toMatchObject({ case: "heartbeat", value: { freshness: "STALE" } });
  bench.horizon.sequence = 2;
  bench.set("new-scheduler", 0);
  expect(ahead.take()).toBeUndefined();
});

test("a node that does not catch up for as long as data is fresh is taken at its word", () => {
  const bench = new Bench();
  const ahead = bench.watcher(new Uint8Array(32), 3n);
  expect(ahead.take()?.frame.case).toBe("heartbeat");
  bench.access.monoMs += staleAfterMs;
  expect(ahead.take()?.frame.case).toBe("table");
});

test("all are shown what has moved, so many at once, and each as soon as the others", () => {
  const bench = new Bench();
  const { group } = bench;
  const seen: number[] = [];
  const enter = (n: number): Watcher =>
    bench.enter({ position: new Uint8Array(), progress: 0n, see: () => seen.push(n) });
  const watchers = [0, 1, 2, 3, 4].map(enter);
  expect([group.isSeen, group.show(9)]).toEqual([true, 0]);
  group.moved();
  expect([group.show(2), group.isSeen]).toEqual([2, false]);
  // It moves again before all have seen it: they come first who have not.
  group.moved();
  expect([group.show(3), group.isSeen]).toEqual([3, false]);
  // One comes and one goes meanwhile.
  enter(5);
  group.leave(watchers[1]!);
  expect([group.show(9), group.isSeen]).toEqual([3, true]);
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 0, 2]);
  for (const watcher of group.watchers) group.leave(watcher);
  group.moved();
  expect([group.show(9), group.isSeen]).toEqual([0, true]);
});
