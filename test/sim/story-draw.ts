import { Random } from "../../relay/random.ts";
import { drawCensus } from "./census-draw.ts";
import { censusVerbs } from "./census-verbs.ts";
import { calm, type Faults } from "./faults.ts";
import { hostileVerbs } from "./hostile-verbs.ts";
import { drawLayout } from "./layout.ts";
import { networkVerbs } from "./network-verbs.ts";
import { operatorVerbs } from "./operator-verbs.ts";
import { processVerbs } from "./process-verbs.ts";
import { rolloutVerbs } from "./rollout-verbs.ts";
import type { Action, OverlayKind, Story } from "./story.ts";
import { drawMirrored, drawRotated, drawWithheld } from "./upheaval-draw.ts";
import { upheavalVerbs } from "./upheaval-verbs.ts";
import { type Draw, pick, type Verbs } from "./verb.ts";

export const verbs: Verbs = {
  ...operatorVerbs,
  ...processVerbs,
  ...networkVerbs,
  ...hostileVerbs,
  ...rolloutVerbs,
  ...censusVerbs,
  ...upheavalVerbs,
};

/** How long faults last: most bugs need little, some need beats to be missed. */
const durationsMs = [
  30_000, 30_000, 60_000, 60_000, 60_000, 90_000, 90_000, 150_000, 150_000, 400_000,
] as const;

/** One in so many stories has a parent that only says it is alive, for longer than data is FRESH. */
const frozenEach = 16;
const frozenMs = 420_000;

/** One in so many stories has a rollout, which lasts: fleets report every so often meanwhile. */
const rampedEach = 8;
const fleetsCount = 14;
const fleetEachMs = 30_000;

/** In one of so many of them the vendor falls silent about when the second step begins, for all of it. */
const silentEach = 3;
const silentFromMs = 165_000;
const silentMs = 400_000;

/** In one story of so many a token ends by itself. */
const expiredEach = 12;

/** In one story of so many the root has its standby above it too; half of these lose the root. */
const standbyEach = 12;

/**
 * In one story of so many the root is restored from a backup. Its children have to be able to come
 * back meanwhile, so not all else happens there.
 */
const restoredEach = 24;
const besidesRestored = new Set(
  "change rule pad report rotate ungrant cut stall crash pause jump".split(" "),
);

/** Verbs besides changes that one story may have: few at once show more than all at once. */
const kindsCountMax = 7;

export function drawStory(seed: number): Story {
  const story = drawWhole(seed);
  const isRestored = story.actions.some(({ words }) => words[0] === "restore-root");
  if (!isRestored) return story;
  const actions = story.actions.filter(
    ({ words: [verb = ""] }) => verb === "restore-root" || besidesRestored.has(verb),
  );
  return { ...story, faults: calm, actions };
}

function drawWhole(seed: number): Story {
  const random = new Random(seed);
  const layout = drawLayout(random);
  const overlay = pick<OverlayKind>(random, ["none", "plain", "granted"]);
  const disclosure = pick(random, ["OFF", "EXACT", "ROUNDED"] as const);
  const isFrozen = random.below(frozenEach) === 0;
  const durationMs = isFrozen ? frozenMs : pick(random, durationsMs);
  const names = layout.nodes.map(({ name }) => name);
  const drawWith = (numbers: Random): Draw => ({
    random: numbers,
    layout,
    overlay,
    relay: () => pick(numbers, names.slice(1)),
    node: () => pick(numbers, names),
    forMs: (max) => String(Math.floor(max * numbers.fraction() ** 2)),
  });
  const draw = drawWith(random);
  const drawn = [...drawKinds(random), "change", "change", "report"];
  // From numbers of their own: what else happens in the story has nothing to do with them.
  const apart = (salt: number): Draw => drawWith(new Random(seed ^ salt));
  const census = drawCensus(apart(0x85ebca6b), verbs);
  return {
    seed,
    layout: layout.name,
    overlay,
    // Answers travel in documents.
    disclosure: census.length > 0 && disclosure === "OFF" ? "EXACT" : disclosure,
    faults: random.below(4) === 0 ? calm : drawFaults(random),
    actions: [
      ...(isFrozen ? [freeze(draw)] : []),
      ...drawActions({ draw, kinds: drawn, durationMs }),
      ...drawRamp(apart(0x1b873593)),
      ...drawStandby(apart(0xc2b2ae35)),
      ...drawExpiry(apart(0x27d4eb2f)),
      ...drawRestored(apart(0x165667b1)),
      ...drawMirrored(apart(0x9e3779b1)),
      ...drawRotated(apart(0x2545f491)),
      ...drawWithheld(apart(0x68e31da4)),
      ...census,
    ].sort((a, b) => a.atMs - b.atMs),
  };
}

function drawRamp(draw: Draw): Action[] {
  const { random } = draw;
  if (random.below(rampedEach) !== 0) return [];
  const [how = "well"] = verbs["fleet"]?.draw(draw) ?? [];
  const ramped = [
    { atMs: random.below(5_000), words: ["ramp", ...(verbs["ramp"]?.draw(draw) ?? [])] },
    ...Array.from({ length: fleetsCount }, (_, at) => ({
      atMs: at * fleetEachMs + random.below(fleetEachMs),
      words: ["fleet", how],
    })),
  ];
  if (random.below(silentEach) !== 0) return ramped;
  const atMs = silentFromMs + random.below(40_000);
  return [...ramped, { atMs, words: ["partition", "root", "vendor", String(silentMs)] }];
}

function drawStandby(draw: Draw): Action[] {
  const { random } = draw;
  if (random.below(standbyEach) !== 0) return [];
  const joined = { atMs: random.below(5_000), words: ["loop", "vendor", "root"] };
  const atMs = 10_000 + random.below(100_000);
  const lost = { atMs, words: ["lose-root", ...(verbs["lose-root"]?.draw(draw) ?? [])] };
  return random.below(2) === 0 ? [joined] : [joined, lost];
}

function drawExpiry(draw: Draw): Action[] {
  if (draw.random.below(expiredEach) !== 0) return [];
  const words = ["expire", ...(verbs["expire"]?.draw(draw) ?? [])];
  return [{ atMs: draw.random.below(30_000), words }];
}

function drawRestored(draw: Draw): Action[] {
  const { random } = draw;
  if (random.below(restoredEach) !== 0) return [];
  const agoMs = 1_000 + random.below(40_000);
  const atMs = random.below(60_000);
  const rotated = { atMs: atMs + random.below(agoMs), words: ["rotate", "1"] };
  const restored = { atMs, words: ["restore-root", String(agoMs)] };
  return random.below(2) === 0 ? [restored] : [restored, rotated];
}

function freeze({ random, layout }: Draw): Action {
  const parent = pick(
    random,
    layout.nodes.flatMap(({ parents }) => parents),
  );
  return { atMs: 0, words: ["cheat", parent, "withheld", String(frozenMs)] };
}

function drawKinds(random: Random): string[] {
  const total = Object.values(verbs).reduce((sum, { weight }) => sum + weight, 0);
  return Array.from({ length: 1 + random.below(kindsCountMax) }, () => {
    let at = random.below(total);
    for (const [name, { weight }] of Object.entries(verbs)) {
      at -= weight;
      if (at < 0) return name;
    }
    return "change";
  });
}

function drawActions(of: { draw: Draw; kinds: readonly string[]; durationMs: number }): Action[] {
  const { draw, kinds, durationMs } = of;
  const count = 8 + draw.random.below(32);
  const times = Array.from({ length: count }, () => draw.random.below(durationMs));
  return times
    .sort((a, b) => a - b)
    .flatMap((atMs) => {
      const name = pick(draw.random, kinds);
      const words = verbs[name]?.draw(draw);
      return words === undefined ? [] : [{ atMs, words: [name, ...words] }];
    });
}

function drawFaults(random: Random): Faults {
  const share = (max: number): number => (random.below(3) === 0 ? random.fraction() ** 2 * max : 0);
  return {
    lossShare: share(0.3),
    duplicateShare: share(0.5),
    reorderShare: share(0.2),
    truncateShare: share(0.05),
    unknownFieldsShare: share(0.5),
    delayMsMax: 1 + random.below(random.below(2) === 0 ? 50 : 3_000),
    tickLagMsMax: random.below(2) === 0 ? 0 : random.below(3_000),
    natsLossShare: share(0.5),
    natsDuplicateShare: share(0.5),
    natsDelayMsMax: 1 + random.below(random.below(2) === 0 ? 50 : 5_000),
    writeFailureShare: share(0.05),
    tornWriteShare: share(0.01),
    crashAfterWriteShare: share(0.02),
    crashAtEffectShare: share(0.003),
  };
}
