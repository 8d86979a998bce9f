import type { Weights } from "../../../gen/headwater/v1/telemetry_pb.ts";
import type { VerdictWord } from "../trial/verdict.ts";
import { whole } from "../weights.ts";
import { mapShares } from "./share.ts";

/** What one of them weighs is a step of 5 %. */
export const seatsCount = 20;

/** From so many instances on, a panel hides how many there are; measured in test/privacy. */
export const panelInstancesMin = 100;

/** A share of a panel that is, in a site of 100, as many instances as a verdict needs: 20. */
const seatsJudgedMin = 4;

/** One instance, and its place among all as the site's secret draws it. */
export interface Ranked {
  readonly rank: number;
  readonly instance: string;
}

/**
 * The 20 instances with the lowest ranks. The same instances are always the same
 * panel, at every node of the site and after a restart; one that leaves is replaced by the next, and
 * who comes takes the place of one at most. With fewer than 20 they take turns in the seats.
 */
export function panelOf<One extends Ranked>(all: Iterable<One>): One[] {
  const lowest: One[] = [];
  for (const one of all) {
    const last = lowest[seatsCount - 1];
    if (last !== undefined && compareRanks(one, last) > 0) continue;
    const at = lowest.findIndex((other) => compareRanks(one, other) < 0);
    lowest.splice(at < 0 ? lowest.length : at, 0, one);
    if (lowest.length > seatsCount) lowest.pop();
  }
  if (lowest.length === 0) return [];
  return Array.from({ length: seatsCount }, (_, seat) => lowest[seat % lowest.length]).flatMap(
    (one) => one ?? [],
  );
}

/** The histogram of a panel as it is: its shares are twentieths already. */
export function histogram(weights: Weights): Weights {
  return mapShares(weights, undefined, ({ basisPoints }) => basisPoints);
}

/**
 * A verdict as a site of any size would give it. Whether there are enough instances to say OK tells
 * how many there are: a flag at 1 % has its twenty in a site of 2000. So the panel decides that, as
 * if the site had 100. What is bad or degraded is said, whoever may conclude from it.
 */
export function panelVerdict(of: {
  verdict: VerdictWord;
  /** How much of the panel it is about, in basis points. */
  basisPoints: number;
  /** It was looked at, with whatever outcome. */
  isWatched: boolean;
}): VerdictWord {
  if (of.verdict === "BAD" || of.verdict === "DEGRADED") return of.verdict;
  const isEnough = of.basisPoints * seatsCount >= seatsJudgedMin * whole;
  return isEnough && of.isWatched ? "OK" : "INSUFFICIENT";
}

function compareRanks(a: Ranked, b: Ranked): number {
  return a.rank - b.rank || (a.instance < b.instance ? -1 : 1);
}
