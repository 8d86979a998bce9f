import { expect, test } from "vitest";
import { wayChangeIntervalMs } from "../../../relay/cadence.ts";
import type { LedgerId } from "../../../relay/ledger/position.ts";
import { wayChangesBurstMax } from "../../../relay/limits.ts";
import { WayNews } from "../../../relay/link/way-news.ts";

const [own, other] = ["own", "other"] as LedgerId[] as [LedgerId, LedgerId];

const nodeId = new Uint8Array(8);

function toldOften(ways: WayNews, monoMs: number): number {
  let count = 0;
  while (ways.mayTell(own, monoMs)) count++;
  return count;
}

test("the first changes of a ledger's way are told at once, those of others too", () => {
  const ways = new WayNews(nodeId);
  expect(toldOften(ways, 0)).toBe(wayChangesBurstMax);
  expect([...ways.held]).toEqual([own]);
  expect(ways.mayTell(other, 0)).toBe(true);
});

test("further ones are told one an interval, until it has been still for long enough", () => {
  const ways = new WayNews(nodeId);
  toldOften(ways, 0);
  expect(ways.mayTell(own, wayChangeIntervalMs - 1)).toBe(false);
  expect(ways.mayTell(own, 2 * wayChangeIntervalMs)).toBe(true);
  expect([...ways.held]).toEqual([]);
  expect(toldOften(ways, 2 * wayChangeIntervalMs)).toBe(0);
  expect(toldOften(ways, 20 * wayChangeIntervalMs)).toBe(wayChangesBurstMax);
});

test("a way that is the former again is not told", () => {
  const ways = new WayNews(nodeId);
  toldOften(ways, 0);
  ways.settled(own);
  expect([...ways.held]).toEqual([]);
});
