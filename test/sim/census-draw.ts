import type { Random } from "../../relay/random.ts";
import type { Action } from "./story.ts";
import { type Draw, pick, type Verbs } from "./verb.ts";

/** One in so many stories has a census. */
const censusEach = 8;

/** Windows that are waited for, and how long an answer takes to come to the root after them. */
const windowsCount = 2.6;
const answerMs = 200_000;

/** What happens to those who watch and to what they tell, while the census lasts. */
const troubles = [
  ["crash", "crash", "pause", "jump", "stampede", "wipe", "restore", "lie", "full"],
  ["partition", "one-way", "cut", "half-open", "nats-down", "nats-split", "twin"],
  ["move", "misreport", "misreport", "leave", "close"],
].flat();

const troublesMax = 7;

/** Everybody is asked, most take part, and apps come, use something or not, and go. */
export function drawCensus(draw: Draw, verbs: Verbs): Action[] {
  const { random } = draw;
  if (random.below(censusEach) !== 0) return [];
  const asks = Array.from({ length: 1 + random.below(2) }, () => [
    "ask",
    ...(verbs["ask"]?.draw(draw) ?? []),
  ]);
  const lasts = asks.map(
    ([, , windowMs, leadMs]) => Number(leadMs) + windowsCount * Number(windowMs),
  );
  const watchedMs = Math.max(...lasts);
  const untilMs = watchedMs + answerMs;
  return [
    ...drawEnrollments(draw),
    ...asks.map((words) => ({ atMs: 3_000 + random.below(15_000), words })),
    ...drawApps(draw, watchedMs),
    ...drawTroubles(draw, { verbs, untilMs }),
    { atMs: untilMs, words: ["wait"] },
  ];
}

/** One in so many nodes is told late, or not at all. */
const lateEach = 10;

function drawEnrollments({ random, layout }: Draw): Action[] {
  return layout.nodes.slice(1).flatMap(({ name }) => {
    const isLate = random.below(lateEach) === 0;
    if (isLate && random.below(2) === 0) return [];
    const atMs = isLate ? random.below(200_000) : random.below(2_000);
    return [{ atMs, words: ["enroll", name, hasApps(name) ? "apps" : "no-apps"] }];
  });
}

function hasApps(node: string): boolean {
  return node.startsWith("site-");
}

function drawApps({ random, layout }: Draw, watchedMs: number): Action[] {
  const nodes = layout.nodes.map(({ name }) => name).filter(hasApps);
  // Where each goes without a word nothing is ever known.
  const ends = random.below(2) === 0 ? ["ends"] : ["ends", "ends", "stays", "crashes", "mute"];
  return Array.from({ length: 1 + random.below(5) }, () => {
    const forMs = random.below(watchedMs);
    const words = [
      "app",
      pick(random, nodes),
      pick(random, ["1.0.0", "1.1.0", "1.1.0"]),
      pick(random, ends),
      String(forMs),
      ...drawUses(random, forMs),
    ];
    return { atMs: random.below(watchedMs), words };
  });
}

function drawUses(random: Random, forMs: number): string[] {
  const count = random.below(2) * (1 + random.below(2));
  return Array.from({ length: count }, () => {
    const what = random.below(3) === 0 ? "flag" : "feature";
    return `${what}@${random.below(forMs + 1)}`;
  });
}

function drawTroubles(draw: Draw, of: { verbs: Verbs; untilMs: number }): Action[] {
  const { random } = draw;
  return Array.from({ length: random.below(troublesMax) }, () => pick(random, troubles)).flatMap(
    (name) => {
      const words = of.verbs[name]?.draw(draw);
      return words === undefined
        ? []
        : [{ atMs: random.below(of.untilMs), words: [name, ...words] }];
    },
  );
}
