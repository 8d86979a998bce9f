import type { Action } from "./story.ts";
import { type Draw, pick } from "./verb.ts";

/** In one of so many stories of the layout that has a second parent, that has an overlay as well. */
const mirroredEach = 2;
const mirrorRulesCount = 10;
const flagsCount = 3;

/** In one story of so many a root is signed that one node alone is told of. */
const rotatedEach = 8;

/** In one story of so many a relay keeps new roots back, and passes what is signed by who knows them. */
const withheldEach = 8;

/** Both overlays restrict the same few flags, while one of the two parents is away. */
export function drawMirrored(draw: Draw): Action[] {
  const { random, layout, overlay } = draw;
  if (layout.name !== "two-parents" || random.below(mirroredEach) !== 0) return [];
  const rules = Array.from({ length: mirrorRulesCount }, (): Action => {
    const verb = random.below(3) === 0 && overlay !== "none" ? "rule" : "mirror-rule";
    const flag = random.below(5) === 0 ? "*" : `flag-${random.below(flagsCount)}`;
    const says = random.below(3) === 0 ? "gone" : String(random.below(100) * 100);
    const rule = `${pick(random, ["cap", "kill"])}/${flag}`;
    return { atMs: random.below(60_000), words: [verb, rule, says] };
  });
  const flags = Array.from({ length: flagsCount }, (_, at) => `flag-${at}=10000`);
  const lost = pick(random, ["vendor", "mirror"]);
  const child = pick(random, ["site-a1", "site-b1"]);
  const lostAtMs = 5_000 + random.below(30_000);
  return [
    { atMs: 0, words: ["change", ...flags] },
    ...rules,
    { atMs: lostAtMs, words: ["crash", lost, String(random.below(60_000))] },
    { atMs: lostAtMs + random.below(20_000), words: ["crash", child, draw.forMs(5_000)] },
    ...(random.below(3) === 0
      ? [{ atMs: lostAtMs + random.below(20_000), words: ["wipe", child, draw.forMs(5_000)] }]
      : []),
  ];
}

/** The root may be lost meanwhile, or the nodes of one site be told of different roots. */
export function drawRotated(draw: Draw): Action[] {
  const { random, layout, node, relay } = draw;
  if (random.below(rotatedEach) !== 0) return [];
  const atMs = random.below(40_000);
  const soon = (): number => atMs + random.below(4_000);
  const told = { atMs, words: ["rotate-at", node()] };
  if (random.below(2) === 0) {
    const lost = { atMs: soon(), words: ["lose-root", ...pick(random, [[], ["restored"]])] };
    const again = { atMs: soon() + random.below(30_000), words: ["rotate-at", relay()] };
    return [told, lost, ...(random.below(2) === 0 ? [again] : [])];
  }
  const sites = layout.nodes.filter(({ site, name }) =>
    layout.nodes.some((other) => other.site === site && other.name !== name),
  );
  const [one = relay(), other = relay()] = sites.map(({ name }) => name);
  const splitMs = String(10_000 + random.below(50_000));
  return [
    { atMs: Math.max(0, atMs - 1_000), words: ["nats-split", other, splitMs] },
    { atMs, words: ["rotate-at", one] },
    { atMs: soon(), words: ["rotate-at", other] },
    { atMs: soon(), words: ["crash", pick(random, [one, other]), draw.forMs(20_000)] },
  ];
}

export function drawWithheld(draw: Draw): Action[] {
  const { random, layout, forMs } = draw;
  if (random.below(withheldEach) !== 0) return [];
  const parents = [...new Set(layout.nodes.flatMap((one) => one.parents))];
  const atMs = random.below(20_000);
  const words = random.below(2) === 0 ? ["ungrant"] : ["rotate", "1"];
  const changes = Array.from({ length: 4 }, (): Action => {
    const change = `flag-${random.below(flagsCount)}=${random.below(100) * 100}`;
    return { atMs: atMs + 5_000 + random.below(40_000), words: ["change", change] };
  });
  return [
    { atMs, words: ["cheat", pick(random, parents), "withheld-trust", forMs(400_000)] },
    { atMs: atMs + random.below(5_000), words },
    ...changes,
  ];
}
