import { minuteMs } from "../../relay/cadence.ts";
import { Random } from "../../relay/random.ts";
import { epochMs } from "../relay/authority.ts";
import { hourMs, type ReportInit } from "../relay/telemetry/fixture.ts";
import { Site } from "../relay/telemetry/site.ts";

/** When documents are sent, of sites that share a secret and nothing else. */
export interface SendTimes {
  readonly sitesCount: number;
  readonly documentsCount: number;
  /** Different lists of times: one, if neither size nor events can be told from them. */
  readonly listsCount: number;
}

/** Sites of 1 to 1000, quiet and restless, for two days, looked at each minute. */
export function sendTimes(seed: number): SendTimes {
  const random = new Random(seed);
  const lists = [1, 20, 100, 1_000].flatMap((size) =>
    [false, true].map((isRestless) => timesOf({ size, isRestless, random })),
  );
  return {
    sitesCount: lists.length,
    documentsCount: lists.reduce((sum, { length }) => sum + length, 0),
    listsCount: new Set(lists.map((list) => list.join(" "))).size,
  };
}

function timesOf(of: { size: number; isRestless: boolean; random: Random }): string[] {
  const { size, isRestless, random } = of;
  const site = new Site();
  site.choose("PANEL");
  const times: string[] = [];
  for (let minute = 0; minute < 48 * 60; minute++) {
    const wallMs = epochMs + minute * minuteMs;
    if (minute % 60 === 0)
      for (let n = 0; n < size; n++) site.report({ instance: `i-${n}` }, wallMs);
    if (isRestless && random.below(30) === 0) site.report(happening(random, size), wallMs);
    const due = site.due(wallMs);
    site.accept(due);
    times.push(...due.map(({ document }) => `${document.kind} ${(wallMs - epochMs) / hourMs}`));
  }
  return times;
}

function happening(random: Random, size: number): ReportInit {
  const instance = `i-${random.below(size)}`;
  return { instance, version: random.below(2) === 0 ? "1.0" : "2.0", health: "FAILED" };
}
