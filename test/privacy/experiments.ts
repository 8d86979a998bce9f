import { isIn } from "../../relay/flag/bucket.ts";
import { projectOf } from "../relay/telemetry/fixture.ts";
import type { Experiment } from "./experiment.ts";
import type { Answers } from "./observed-site.ts";
import * as population from "./population.ts";

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

const month = { project: plain, daysCount: 30, sizes: large };
const hidden = { ROUNDED: 1, PANEL: 0.3 };

export const experiments: readonly Experiment[] = [
  { ...month, name: "independent upgrades", workload: population.independent, most: hidden },
  { ...month, name: "upgrades in exact waves", workload: population.waves, most: hidden },
  {
    ...month,
    name: "one after the other, evenly",
    workload: population.serial,
    most: { ...hidden, PANEL: 0.4 },
  },
  { ...month, name: "instances that come and go", workload: population.churn, most: hidden },
  {
    ...month,
    name: "upgrades of a real browser",
    project: ofBrowser,
    daysCount: 24,
    workload: population.browser,
    most: hidden,
  },
  {
    ...month,
    name: "a month in which nothing happens",
    workload: population.still,
    most: hidden,
  },
  { ...month, name: "rare failures", workload: population.failing, most: hidden },
  {
    ...month,
    name: "130 probe flags",
    project: ofProbes,
    daysCount: 1,
    answers: probed,
    workload: population.still,
    most: hidden,
  },
  {
    ...month,
    name: "independent upgrades, also of 20",
    sizes: wide,
    workload: population.independent,
    most: { PANEL: 0.3, MODAL: 0.35 },
  },
  {
    ...month,
    name: "independent upgrades of few",
    sizes: small,
    workload: population.independent,
    most: { ROUNDED: 1, MODAL: 0.3 },
  },
  {
    ...month,
    name: "exact waves of few",
    sizes: small,
    workload: population.waves,
    most: { MODAL: 0.3 },
  },
];
