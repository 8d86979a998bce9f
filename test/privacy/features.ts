import type { Weights } from "../../gen/headwater/v1/telemetry_pb.ts";
import { newRelease } from "./population.ts";

/** What attackers look at, by name: all of it follows from what a parent has received. */
export type Features = Readonly<Record<string, number>>;

/** Statistics that each give one of the known attacks its chance, and the curve itself. */
export function featuresOf(documents: readonly Weights[], ids?: "listed"): Features {
  const curve = documents.map(({ releases }) => shareOf(releases, newRelease));
  const shares = documents.map(({ releases }) =>
    releases.map(({ basisPoints = 0 }) => basisPoints),
  );
  const begins = Math.max(
    0,
    curve.findIndex((share) => share > 0),
  );
  const aligned = [...curve.slice(begins), ...curve.slice(0, begins).map(() => 10_000)];
  return {
    ...support(shares),
    ...shape(curve, begins),
    ...wobble(shares),
    ...presence(documents),
    ...(ids === "listed" && flagByFlag(documents)),
    ...Object.fromEntries(aligned.slice(0, 14).map((share, day) => [`day ${day}`, share])),
  };
}

/** Which weights there are at all: a site of n can only say so many different ones. */
function support(shares: readonly number[][]): Features {
  const said = new Set(shares.flat().filter((share) => share > 0));
  return {
    "values said": said.size,
    "smallest value": Math.min(10_000, ...said),
    "words said": mean(shares.map((one) => one.filter((share) => share > 0).length)),
    "excess of sums": mean(shares.map((one) => sum(one))),
  };
}

/** When the first comes and the last leaves, and how smooth it is between. */
function shape(curve: readonly number[], begins: number): Features {
  const steps = curve.slice(1).map((share, day) => share - (curve[day] ?? 0));
  const bends = steps.slice(1).map((step, day) => Math.abs(step - (steps[day] ?? 0)));
  const at = (share: number): number => {
    const found = curve.findIndex((one) => one >= share);
    return found < 0 ? curve.length : found;
  };
  return {
    "first share": curve[begins] ?? 0,
    "tail: last day": at(10_000) - begins,
    "tail: from nine tenths": at(10_000) - at(9_000),
    "half way": at(5_000) - begins,
    "days between": curve.filter((share) => share > 0 && share < 10_000).length,
    steps: steps.filter((step) => step !== 0).length,
    "steps back": steps.filter((step) => step < 0).length,
    roughness: sum(bends),
    "largest step": Math.max(0, ...steps),
  };
}

/** How much what should stand still moves: noise that is drawn anew, or members that change. */
function wobble(shares: readonly number[][]): Features {
  const words = shares[0]?.length ?? 0;
  const series = Array.from({ length: words }, (_, word) => shares.map((one) => one[word] ?? 0));
  const last = series.map((one) => one.slice(-10));
  return {
    "wobble at the end": mean(last.map(deviation)),
    "mean at the end": mean(last.map(mean).map((one) => one % 500)),
  };
}

/** What is there at all: rare failures, and flags that few instances have. */
function presence(documents: readonly Weights[]): Features {
  const failed = documents.map(({ failed: all }) =>
    sum(all.map(({ basisPoints = 0 }) => basisPoints)),
  );
  const flags = documents.at(-1)?.flags ?? [];
  const rare = flags.filter(({ name }) => name.startsWith("rare-"));
  const even = flags.filter(({ name }) => name.startsWith("even-"));
  const present = rare.filter(({ basisPoints = 0 }) => basisPoints > 0);
  return {
    "failures: days with any": failed.filter((share) => share > 0).length,
    "failures: mean": mean(failed),
    "probes present": present.length,
    "probes: sum": sum(rare.map(({ basisPoints = 0 }) => basisPoints)),
    "probes: rarest present": Math.max(0, ...present.map(({ name }) => Number(name.split("-")[1]))),
    "probes: variance": deviation(even.map(({ basisPoints = 0 }) => basisPoints)),
  };
}

/** Each flag by itself: for who knows of each id whether it has the flag. */
function flagByFlag(documents: readonly Weights[]): Features {
  const flags = documents.at(-1)?.flags ?? [];
  return Object.fromEntries(flags.map(({ name, basisPoints = 0 }) => [name, basisPoints]));
}

function shareOf(weights: Weights["releases"], name: string): number {
  return weights.find((weight) => weight.name === name)?.basisPoints ?? 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

export function mean(numbers: readonly number[]): number {
  return numbers.length === 0 ? 0 : sum(numbers) / numbers.length;
}

function deviation(numbers: readonly number[]): number {
  const middle = mean(numbers);
  return Math.sqrt(mean(numbers.map((one) => (one - middle) ** 2)));
}
