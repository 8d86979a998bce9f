import { isIn } from "../../relay/flag/bucket.ts";
import type { Random } from "../../relay/random.ts";
import { projectOf } from "../relay/telemetry/fixture.ts";
import { ceilingOf } from "./ceiling.ts";
import type { Experiment } from "./experiment.ts";
import type { Answers } from "./observed-site.ts";
import { joining, numberOfSites } from "./parents.ts";
import * as population from "./population.ts";
import { verdictsOnProbes } from "./verdict-channel.ts";

/** The sizes that the larger tier is for, those that it is not, and both. */
const large = [100, 400, 1_000, 10_000];
const small = [1, 3, 8, 20, 100];
const wide = [20, 100, 1_000, 10_000];

/** 80 flags that 1 in 2, 4, … 8192 instances get, and 50 that every second gets. */
const probes = [
  ...Array.from({ length: 80 }, (_, n) => {
    const power = 1 + (n % 13);
    const basisPoints = Math.max(1, Math.round(10_000 / 2 ** power));
    return { name: `rare-${power}-${n}`, basisPoints };
  }),
  ...Array.from({ length: 50 }, (_, n) => ({ name: `even-${n}`, basisPoints: 5_000 })),
];

const probed: Answers = (instance) =>
  probes.flatMap(({ name, basisPoints }) =>
    isIn({ flag: name, instance, basisPoints }) ? name : [],
  );

const plain = projectOf({ releases: ["1.0", "2.0"], flags: ["alpha"] });
const ofBrowser = projectOf({ releases: population.curveReleases, flags: [] });
const ofProbes = projectOf({ releases: ["1.0"], flags: probes.map(({ name }) => name) });

/** What a parent says of its children is measured, and nothing is promised. */
const above = { ROUNDED: 1, PANEL: 1 };

const month = { project: plain, daysCount: 30 };
const hidden = { ROUNDED: 1, PANEL: 0.3 };

/** Each instance does what it does by itself: what 20 of them do is the same at any size. */
const chance = (): number => 1 / large.length;

const fromWaves = (random: Random): number =>
  ceilingOf({ random, runs: 20_000, draw: () => large.map(population.waveDays) });

const fromSerial = (random: Random): number =>
  ceilingOf({ random, runs: 1_000, draw: (drawn) => population.serialDays(large, drawn) });

export const experiments: readonly Experiment[] = [
  {
    name: "independent upgrades",
    sizes: large,
    seen: { ...month, workload: population.independent },
    most: hidden,
    ceiling: chance,
  },
  {
    name: "upgrades in exact waves",
    sizes: large,
    seen: { ...month, workload: population.waves },
    most: hidden,
    ceiling: fromWaves,
  },
  {
    name: "one after the other, evenly",
    sizes: large,
    seen: { ...month, workload: population.serial },
    most: { ...hidden, PANEL: 0.4 },
    ceiling: fromSerial,
  },
  {
    name: "instances that come and go",
    sizes: large,
    seen: { ...month, workload: population.churn },
    most: hidden,
  },
  {
    name: "upgrades of a real browser",
    sizes: large,
    seen: { project: ofBrowser, daysCount: 24, workload: population.browser },
    most: hidden,
    ceiling: chance,
  },
  {
    name: "a month in which nothing happens",
    sizes: large,
    seen: { ...month, workload: population.still },
    most: hidden,
    ceiling: chance,
  },
  {
    name: "rare failures",
    sizes: large,
    seen: { ...month, workload: population.failing },
    most: hidden,
    ceiling: chance,
  },
  {
    name: "130 probe flags",
    sizes: large,
    seen: { project: ofProbes, daysCount: 1, answers: probed, workload: population.still },
    most: hidden,
    ceiling: chance,
  },
  {
    name: "130 probe flags, ids in a row",
    sizes: large,
    seen: {
      project: ofProbes,
      daysCount: 1,
      answers: probed,
      ids: "listed",
      workload: population.still,
    },
    most: { PANEL: 1 },
  },
  {
    name: "verdicts on 12 probe flags",
    sizes: large,
    seen: verdictsOnProbes,
    most: hidden,
  },
  {
    name: "independent upgrades, also of 20",
    sizes: wide,
    seen: { ...month, workload: population.independent },
    most: { PANEL: 0.3, MODAL: 0.35 },
    ceiling: chance,
  },
  {
    name: "independent upgrades of few",
    sizes: small,
    seen: { ...month, workload: population.independent },
    most: { ROUNDED: 1, MODAL: 0.3 },
  },
  {
    name: "exact waves of few",
    sizes: small,
    seen: { ...month, workload: population.waves },
    most: { MODAL: 0.3 },
  },
  {
    name: "verdicts on 12 probe flags of few",
    sizes: small,
    seen: verdictsOnProbes,
    most: { ROUNDED: 1, MODAL: 0.3 },
  },
  { name: "does one of 21 sites join", sizes: [0, 1], seen: joining(20), most: above },
  { name: "does one of 201 sites join", sizes: [0, 1], seen: joining(200), most: above },
  { name: "how many sites a parent has", sizes: [20, 50, 200], seen: numberOfSites, most: above },
];
