import { RandomForestClassifier } from "ml-random-forest";
import type { Features } from "./features.ts";

/** A site whose size is known to whoever trains, or is asked of who attacks. */
export interface Sample {
  readonly features: Features;
  /** Which of the sizes; an index. */
  readonly label: number;
}

export type Classifier = (features: Features) => number;

/** Learns from sites of known size. `labelsCount` sizes there are. */
type Attacker = (training: readonly Sample[], labelsCount: number) => Classifier;

/** The known attacks, each with its statistic: whichever tells most of the training set apart. */
const bestStatistic: Attacker = (training, labelsCount) => {
  const all = namesOf(training).map((name) => {
    const likelihood = likelihoodOf(training, name, labelsCount);
    const classify = (features: Features): number => argmax(likelihood(features));
    return { classify, right: shareRight(training, classify) };
  });
  const best = all.reduce((one, other) => (other.right > one.right ? other : one));
  return best.classify;
};

/** Naive Bayes: all statistics together, as if they were independent. */
const naiveBayes: Attacker = (training, labelsCount) => {
  const all = namesOf(training).map((name) => likelihoodOf(training, name, labelsCount));
  return (features) =>
    argmax(
      all
        .map((likelihood) => likelihood(features))
        .reduce((sum, one) => sum.map((total, label) => total + Math.log(one[label] ?? 1))),
    );
};

/** Random forest (Breiman 2001): learns how statistics hang together. */
const forest: Attacker = (training) => {
  const names = namesOf(training);
  const row = (features: Features): number[] => names.map((name) => features[name] ?? 0);
  const learned = new RandomForestClassifier({
    seed: 1,
    maxFeatures: 0.4,
    replacement: false,
    nEstimators: 40,
    useSampleBagging: true,
    noOOB: true,
    treeOptions: { minNumSamples: 4, maxDepth: 10 },
  } as never);
  learned.train(
    training.map(({ features }) => row(features)),
    training.map(({ label }) => label),
  );
  return (features) => learned.predict([row(features)])[0] ?? 0;
};

export const attackers = { "best statistic": bestStatistic, "naive Bayes": naiveBayes, forest };

export type AttackerName = keyof typeof attackers;

export function shareRight(samples: readonly Sample[], classify: Classifier): number {
  const right = samples.filter(({ features, label }) => classify(features) === label);
  return right.length / Math.max(1, samples.length);
}

/** How likely a value of one statistic is for each label: a histogram over tenths of the training. */
function likelihoodOf(
  training: readonly Sample[],
  name: string,
  labelsCount: number,
): (features: Features) => number[] {
  const values = training.map(({ features }) => features[name] ?? 0).sort((a, b) => a - b);
  const edges = [
    ...new Set(
      Array.from({ length: 11 }, (_, n) => values[Math.floor((n * (values.length - 1)) / 10)] ?? 0),
    ),
  ];
  const binOf = (value: number): number => edges.filter((edge) => edge < value).length;
  const counts = Array.from({ length: labelsCount }, () => Array(edges.length + 1).fill(1));
  for (const { features, label } of training) {
    const bins = counts[label];
    if (bins !== undefined) bins[binOf(features[name] ?? 0)] += 1;
  }
  const totals = counts.map((bins) => bins.reduce((sum, one) => sum + one, 0));
  return (features) => {
    const bin = binOf(features[name] ?? 0);
    return counts.map((bins, label) => (bins[bin] ?? 1) / (totals[label] ?? 1));
  };
}

/** Those that are not the same for everybody. */
function namesOf(training: readonly Sample[]): string[] {
  const [first] = training;
  const names = Object.keys(first?.features ?? {});
  const told = names.filter((name) =>
    training.some(({ features }) => features[name] !== first?.features[name]),
  );
  return told.length > 0 ? told : names.slice(0, 1);
}

function argmax(numbers: readonly number[]): number {
  return numbers.indexOf(Math.max(...numbers));
}
