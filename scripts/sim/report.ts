import type { CensusCounts } from "../../test/sim/census-checks.ts";
import {
  type FaultCounts,
  type FaultId,
  type FaultKind,
  faultKinds,
  faults as faultTexts,
  sumOfFaults,
} from "../../test/sim/fault-kinds.ts";
import { type BrokenPromise, type PromiseId, promises } from "../../test/sim/promises.ts";
import { shrink } from "../../test/sim/shrink.ts";
import { type Story, storyText } from "../../test/sim/story.ts";

/** Runs spent on making a story shorter: a minute or so. */
const shrinkTriesMax = 300;

export function summaryLine(of: {
  seedsCount: number;
  faults: FaultCounts;
  violationsCount: number;
}): string {
  return `${of.seedsCount} seeds, ${sumOfFaults(of.faults)} faults, ${of.violationsCount} violations`;
}

/** What was broken, and the shortest story in which it is, to be pasted into a test. */
export function violationText(story: Story, broken: BrokenPromise): string {
  const shortest = shrink({ story, promise: broken.promise, triesMax: shrinkTriesMax });
  return [
    `seed ${story.seed}: ${broken.message}`,
    "",
    "The shortest story found, for test/sim/found-stories.ts:",
    "",
    storyText(shortest),
    "",
  ].join("\n");
}

/** A line for each fault, with how often each way of it came about. */
export function faultTable(counts: FaultCounts): string {
  const kinds = Object.keys(faultKinds) as FaultKind[];
  const lines = (Object.keys(faultTexts) as FaultId[]).map((id) => {
    const ways = kinds
      .filter((kind) => faultKinds[kind] === id)
      .map((kind) => `${kind} ${counts.get(kind) ?? 0}`);
    return `${id.padEnd(4)}${faultTexts[id]}: ${ways.join(", ")}`;
  });
  return lines.join("\n");
}

/** What windows of censuses came to: a promise on `unused` says nothing where nobody ever says it. */
export function censusLines(of: {
  readonly all: CensusCounts;
  readonly root: CensusCounts;
}): string {
  const line = ({ UNUSED, USED, UNKNOWN }: CensusCounts): string =>
    `${UNUSED} unused, ${USED} used, ${UNKNOWN} unknown`;
  return `windows of censuses, at every hop: ${line(of.all)}\nat the root: ${line(of.root)}`;
}

export function promiseTable(counts: ReadonlyMap<PromiseId, number>): string {
  const ids = Object.keys(promises) as PromiseId[];
  return ids
    .map((id) => `${id.padEnd(4)}${String(counts.get(id) ?? 0).padStart(9)}  ${promises[id]}`)
    .join("\n");
}
