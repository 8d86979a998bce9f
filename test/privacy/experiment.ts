import { toBinary } from "@bufbuild/protobuf";
import { type Document, DocumentSchema } from "../../gen/headwater/v1/telemetry_pb.ts";
import type { Project } from "../../relay/layers/project.ts";
import { Random } from "../../relay/random.ts";
import type { DisclosureLevel } from "../../relay/telemetry/disclosure/level.ts";
import { type AttackerName, attackers, type Sample, shareRight } from "./attackers.ts";
import { type Features, featuresOf } from "./features.ts";
import { intervalOf } from "./interval.ts";
import { type Answers, observe } from "./observed-site.ts";
import type { Workload } from "./population.ts";

/** What a parent looks at of one site, or of one parent of sites, at each level. */
export type Look = (of: {
  size: number;
  levels: readonly DisclosureLevel[];
  random: Random;
}) => Map<DisclosureLevel, { features: Features; document: Document | undefined }>;

/** A question: how well can a parent tell sites of these sizes apart? */
export interface Experiment {
  readonly name: string;
  /** Numbers of instances, as likely each. */
  readonly sizes: readonly number[];
  /** What happens at a site whose weights documents are looked at; or else something else is. */
  readonly seen:
    | { workload: Workload; project: Project; daysCount: number; answers?: Answers; ids?: "listed" }
    | Look;
  /** The most that an attacker may reach against each level; absent: no claim. */
  readonly most: Partial<Record<DisclosureLevel, number>>;
  /** What no attacker can exceed against a panel, whatever it does: worked out, not tried. */
  readonly ceiling?: (random: Random) => number;
}

/** How many sites of each size are learned from, and attacked. */
export interface Scale {
  readonly training: number;
  readonly attacked: number;
}

export interface Answer {
  readonly experiment: string;
  readonly level: DisclosureLevel;
  readonly sizes: readonly number[];
  /** Share of sites whose size the attacker named. */
  readonly accuracy: number;
  readonly chance: number;
  /** What one answer of the attacker tells, in bits; the estimate is a little high. */
  readonly bits: number;
  /** The best of all on sites that it had not learned from, and that are not those attacked. */
  readonly attacker: AttackerName;
  readonly most?: number;
  /** Within which the share would be in 95 of 100 such runs (Wilson). */
  readonly interval: readonly [number, number];
  readonly ceiling?: number;
  /** Different sizes of documents on the wire. */
  readonly bytesCount: number;
}

/**
 * Attackers learn from one half of the sites of known size, the best of them on the other half is
 * chosen, learns from all, and attacks sites that nobody has seen. Each level by itself.
 */
export function answersOf(of: { experiment: Experiment; scale: Scale; seed: number }): Answer[] {
  const { experiment, scale } = of;
  const random = new Random(of.seed);
  const levels = Object.keys(experiment.most) as DisclosureLevel[];
  const training = sitesOf({ experiment, levels, count: scale.training, random });
  const attacked = sitesOf({ experiment, levels, count: scale.attacked, random });
  return levels.map((level) => {
    const [known, unknown] = [training.get(level) ?? [], attacked.get(level) ?? []];
    return answerOf({ experiment, level, known, unknown });
  });
}

interface Site extends Sample {
  readonly bytes: ReadonlySet<number>;
}

function sitesOf(of: {
  experiment: Experiment;
  levels: readonly DisclosureLevel[];
  count: number;
  random: Random;
}): Map<DisclosureLevel, Site[]> {
  const { experiment, levels, random } = of;
  const sites = new Map(levels.map((level) => [level, new Array<Site>()]));
  for (const [label, size] of experiment.sizes.entries())
    for (let n = 0; n < of.count; n++) {
      for (const [level, site] of look(experiment, { size, levels, random }))
        sites.get(level)?.push({ label, ...site });
    }
  return sites;
}

function look(
  { seen }: Experiment,
  of: Parameters<Look>[0],
): Map<DisclosureLevel, Omit<Site, "label">> {
  if (typeof seen === "function") {
    const all = [...seen(of)];
    const bytesOf = (document: Document | undefined): Set<number> =>
      new Set(document && [toBinary(DocumentSchema, document).length]);
    return new Map(
      all.map(([level, { features, document }]) => [level, { features, bytes: bytesOf(document) }]),
    );
  }
  const population = seen.workload(of.size, of.random);
  const observed = observe({ ...seen, ...of, population });
  return new Map(
    [...observed].map(([level, { documents, bytes }]) => [
      level,
      { features: featuresOf(documents, seen.ids), bytes },
    ]),
  );
}

function answerOf(of: {
  experiment: Experiment;
  level: DisclosureLevel;
  known: readonly Site[];
  unknown: readonly Site[];
}): Answer {
  const { experiment, level, known, unknown } = of;
  const labelsCount = experiment.sizes.length;
  const attacker = bestOf(known, labelsCount);
  const classify = attackers[attacker](known, labelsCount);
  const guesses = unknown.map(({ features, label }) => ({ label, guess: classify(features) }));
  const most = experiment.most[level];
  const ceiling = level === "PANEL" ? experiment.ceiling?.(new Random(1)) : undefined;
  const right = guesses.filter(({ label, guess }) => label === guess).length;
  const bytes = new Set([...known, ...unknown].flatMap((site) => [...site.bytes]));
  return {
    experiment: experiment.name,
    level,
    sizes: experiment.sizes,
    accuracy: right / guesses.length,
    interval: intervalOf(right, guesses.length),
    chance: 1 / labelsCount,
    bits: bitsOf(guesses, labelsCount),
    attacker,
    bytesCount: bytes.size,
    ...(most !== undefined && { most }),
    ...(ceiling !== undefined && { ceiling }),
  };
}

function bestOf(training: readonly Sample[], labelsCount: number): AttackerName {
  const [half, rest] = [0, 1].map((part) => training.filter((_, n) => n % 2 === part));
  const names = Object.keys(attackers) as AttackerName[];
  const scores = names.map((name) => ({
    name,
    right: shareRight(rest ?? [], attackers[name](half ?? [], labelsCount)),
  }));
  return scores.reduce((one, other) => (other.right > one.right ? other : one)).name;
}

/** Mutual information of the size and the guess, from their frequencies. */
function bitsOf(guesses: readonly { label: number; guess: number }[], labelsCount: number): number {
  const share = (which: (one: { label: number; guess: number }) => boolean): number =>
    guesses.filter(which).length / guesses.length;
  let bits = 0;
  for (let label = 0; label < labelsCount; label++)
    for (let guess = 0; guess < labelsCount; guess++) {
      const both = share((one) => one.label === label && one.guess === guess);
      const apart = share((one) => one.label === label) * share((one) => one.guess === guess);
      if (both > 0) bits += both * Math.log2(both / apart);
    }
  return bits;
}
