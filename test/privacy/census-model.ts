import { dayMs, reportIntervalMs } from "../../relay/cadence.ts";
import type { Random } from "../../relay/random.ts";
import {
  type CensusAnswer,
  type CensusChild,
  CensusWatch,
  type CensusWindows,
  censusSkewMs,
  joinChildren,
  windowToAnswer,
} from "../../relay/telemetry/census.ts";

/** A short window; everything else goes at its real pace. */
const windows: CensusWindows = { openedMs: 1_000 * dayMs, windowMs: 2 * dayMs };

/** What happened, and what was answered, for each window that a parent had an answer for. */
export interface CensusRun {
  readonly answers: readonly { readonly isUsed: boolean; readonly answer: CensusAnswer }[];
}

/**
 * Some sites, each with instances that come and go, lose reports, crash without a word and use the
 * feature or not, nodes that restart, and clocks that are apart. Truth is by the real time of use.
 */
export function censusRun(random: Random): CensusRun {
  const used = new Set<number>();
  const sites = Array.from({ length: 1 + random.below(3) }, () => siteRun(random, used));
  const untilMs = windows.openedMs + 3.2 * windows.windowMs;
  const last = windowToAnswer(windows, untilMs);
  const answers = Array.from({ length: last + 1 }, (_, window) => {
    const children = sites.map((site): CensusChild => {
      // A document may be lost: then the parent has one of the window before.
      const isLost = random.fraction() < 0.05;
      const heardOf = isLost ? window - 1 : window;
      return { window: heardOf, answer: site.answer(heardOf), heardMs: untilMs };
    });
    const { answer } = joinChildren(children, { window, wallMs: untilMs });
    return { isUsed: used.has(window), answer };
  });
  return { answers };
}

function siteRun(random: Random, used: Set<number>): CensusWatch {
  const skewMs = (2 * random.fraction() - 1) * (censusSkewMs / 2);
  const clock = (realMs: number): number => realMs + skewMs;
  // Most were there before it was asked for, some joined in the middle.
  const isEarly = random.fraction() < 0.8;
  const enrolledMs =
    windows.openedMs + (isEarly ? -dayMs / 4 : random.fraction() * windows.windowMs);
  const watch = new CensusWatch(windows, clock(enrolledMs));
  const [lossShare, crashShare, useShare] = [0.03, 0.02, 0.05].map((most) =>
    random.fraction() < 0.5 ? 0 : most * random.fraction(),
  ) as [number, number, number];
  const restartShare = random.fraction() < 0.7 ? 0 : 0.01;
  const instances = new Map<string, { isUsed: boolean; nextMs: number }>();
  const endMs = windows.openedMs + 3.2 * windows.windowMs;
  let born = 0;
  let awayUntilMs = 0;
  for (let realMs = enrolledMs; realMs < endMs; realMs += reportIntervalMs / 4) {
    const isAway = realMs < awayUntilMs;
    if (!isAway && awayUntilMs > 0) {
      watch.resume(clock(realMs));
      awayUntilMs = 0;
    }
    if (!isAway) watch.watch(clock(realMs));
    if (!isAway && random.fraction() < restartShare)
      awayUntilMs = realMs + random.fraction() * 3 * reportIntervalMs;
    if (instances.size < 3 && random.fraction() < 0.1)
      instances.set(`i-${born++}`, { isUsed: false, nextMs: realMs });
    for (const [instance, state] of instances) {
      if (random.fraction() < useShare) {
        state.isUsed = true;
        used.add(Math.floor((realMs - windows.openedMs) / windows.windowMs));
      }
      const isEnding = random.fraction() < 0.02;
      const hasCrashed = random.fraction() < crashShare;
      if (realMs >= state.nextMs || isEnding) {
        const isHeard = !isAway && !hasCrashed && random.fraction() >= lossShare;
        const { isUsed } = state;
        if (isHeard) watch.hear({ instance, isUsed, isLast: isEnding, wallMs: clock(realMs) });
        state.nextMs = realMs + reportIntervalMs * (isHeard ? 1 : 0.25);
        if (isEnding) instances.delete(instance);
      }
      if (hasCrashed) instances.delete(instance);
    }
  }
  return watch;
}
