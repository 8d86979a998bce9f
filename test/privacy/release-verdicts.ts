import { Random } from "../../relay/random.ts";
import { judge } from "../../relay/telemetry/trial/verdict.ts";
import { type ModelSite, modelTrial } from "../relay/telemetry/trial/trial-model.ts";
import { intervalOf } from "./interval.ts";

const instances = 5_000;

/** Of all instances, at their first report. */
const [fewFail, moreFail] = [0.001, 0.01].map((atOnce) => ({ atOnce, eachWindow: 0 })) as [
  ModelSite["before"],
  ModelSite["before"],
];

const stepsOfRollout = 5;
const foundLeast = 0.95;
const alarmsMost = 0.01;

/** How often something is called BAD, and how often it may or has to be. */
export interface VerdictShare {
  readonly what: string;
  readonly runsCount: number;
  readonly share: number;
  /** Where it is in 95 of 100 such runs. */
  readonly interval: readonly [number, number];
  readonly least?: number;
  readonly most?: number;
}

type Case = Pick<VerdictShare, "what" | "least" | "most"> & {
  readonly isBad: (random: Random) => boolean;
};

/** The last look but one is 24 windows, or hours, after the beginning. */
const isBadInADay = (site: ModelSite, random: Random): boolean =>
  modelTrial(site, random)[2] === "BAD";

const found = ([upgrade, of]: [string, Pick<ModelSite, "upgradeWindows" | "waves">]): Case => ({
  what: `a release of which 1 % fail, 0.1 % before; ${upgrade}`,
  least: foundLeast,
  isBad: (random) => isBadInADay({ instances, ...of, before: fewFail, after: moreFail }, random),
});

const falseAlarm = ([failing, each]: [string, ModelSite["before"]]): Case => ({
  what: `a rollout in five steps of a release of which ${failing} fail, as before`,
  most: alarmsMost,
  isBad: (random) => {
    const site = { instances, upgradeWindows: 12, before: each, after: each };
    return Array.from({ length: stepsOfRollout }, () => modelTrial(site, random).at(-1)).includes(
      "BAD",
    );
  },
});

const cases: readonly Case[] = [
  ...(
    [
      ["each upgrades within an hour on average", { upgradeWindows: 1 }],
      ["within 12 hours on average", { upgradeWindows: 12 }],
      ["within 24 hours on average", { upgradeWindows: 24 }],
      ["in four waves of six hours", { upgradeWindows: 12, waves: 4 }],
    ] as const
  ).map(([upgrade, of]) => found([upgrade, of])),
  {
    what: "a flag, on for half, with which 1 % fail, 0.1 % without",
    isBad: (random) => judge(armOf(moreFail, random), armOf(fewFail, random), 2) === "BAD",
  },
  falseAlarm(["0.1 %", fewFail]),
  falseAlarm(["1 %", moreFail]),
];

/** Half of the instances, of which those that live were heard twice an hour for a day. */
function armOf({ atOnce }: ModelSite["before"], random: Random) {
  const count = instances / 2;
  let failed = 0;
  for (let n = 0; n < count; n++) if (random.fraction() < atOnce) failed++;
  const halfIntervals = failed + (count - failed) * (1 + 2 * 2 * 24);
  return { instances: count, unwell: failed, failed, halfIntervals };
}

export function verdictShares(of: { runsCount: number; seed: number }): VerdictShare[] {
  const random = new Random(of.seed);
  return cases.map(({ isBad, ...said }) => {
    let bad = 0;
    for (let run = 0; run < of.runsCount; run++) if (isBad(random)) bad++;
    const { runsCount } = of;
    return { ...said, runsCount, share: bad / runsCount, interval: intervalOf(bad, runsCount) };
  });
}

/** Bounds that do not hold for all that the runs leave possible. */
export function verdictProblems(shares: readonly VerdictShare[]): string[] {
  return shares
    .filter(({ interval: [low, high], least = 0, most = 1 }) => low < least || high > most)
    .map(({ what, share }) => `${what}: bad in ${(100 * share).toFixed(2)} %`);
}
