import { setImmediate as turn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { newAppsCounts } from "../../../../nodes/apps/apps-counts.ts";
import { FlagSetStreams } from "../../../../nodes/apps/flagd/flag-set-streams.ts";
import { flagAt } from "../../fake-access.ts";
import { nodeWith } from "./flagd-node.ts";

test("a change is sent to so many at once, so that nothing else waits for all of them", async () => {
  const access = nodeWith({ path: 0 });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const streams = new FlagSetStreams({ access, counts: newAppsCounts(), shutdown: stop.signal });
  /** What each has taken last. */
  const revisions = new Map<number, number>();
  const read = async (n: number, signal: AbortSignal): Promise<void> => {
    let taken = 0;
    const take = ([group]: readonly { revision: number }[]): number | undefined =>
      group === undefined || group.revision === taken ? undefined : (taken = group.revision);
    for await (const revision of streams.open({ projects: ["horizon"], signal, take }))
      revisions.set(n, revision);
  };
  const gone = new AbortController();
  for (let n = 0; n < 1_000; n++) void read(n, n < 999 ? stop.signal : gone.signal).catch(() => {});
  await turn();
  const at = (revision: number) => [...revisions.values()].filter((one) => one === revision).length;
  expect(at(1)).toBe(1_000);
  access.set("horizon", "", flagAt("path", 1));
  gone.abort();
  await turn();
  expect(at(2)).toBe(250);
  // Another one meanwhile is in what the others get, and comes to all.
  access.set("horizon", "", flagAt("path", 2));
  await turn();
  expect([at(2), at(3)]).toEqual([250, 250]);
  for (let turns = 0; turns < 3; turns++) await turn();
  expect([at(1), at(3)]).toEqual([1, 999]);
});
