import { BASIS_POINTS_MAX, HASH_VERSION } from "../flag/bucket.ts";
import type { EffectiveFlag, Reason } from "../flag/effective-flag.ts";
import { allows, type Build, kills } from "./build.ts";
import { type Layer, type LayerFlag, type LayerRule, ruleFor } from "./layer.ts";

/** An overlay as the fold sees it: its rules, and what the project's root lets it pin. */
interface Overlay {
  readonly layer: Layer;
  readonly mayPin: (flag: string, basisPoints: number) => boolean;
}

/** A project's pinned set of layers. */
export interface Layers {
  readonly own: Layer;
  readonly overlays: readonly Overlay[];
}

/**
 * What all layers together make of one flag for one build; undefined when the project has no such
 * flag. A meet, so the order of overlays does not matter:
 *
 *     percent  = min(pinned or own percent, every cap)
 *     killed   = any kill
 *     versions = all of them
 */
export function effectiveFlag(
  layers: Layers,
  name: string,
  build: Build,
): EffectiveFlag | undefined {
  const own = layers.own.flags.get(name);
  if (own === undefined) return undefined;
  const answer = (basisPoints: number, reason: Reason): EffectiveFlag => ({
    name,
    basisPoints,
    hash: HASH_VERSION,
    reason,
  });
  if (isKilled(layers, name, own, build)) return answer(0, "KILLED");
  if (own === "misunderstood") return answer(0, "NOT_UNDERSTOOD");
  const caps = rulesFor(layers, (layer) => layer.caps, name);
  const inScope =
    allows(own.scope, build) && caps.every(({ effect }) => allows(effect.scope, build));
  if (!inScope) return answer(0, "OUT_OF_RANGE");
  const pin = lowestPin(layers, name);
  const base = pin ?? ownBasisPoints(own, build);
  const cap = Math.min(BASIS_POINTS_MAX, ...caps.map(({ effect }) => effect.basisPoints));
  const basisPoints = Math.min(base, cap);
  if (cap < base) return answer(basisPoints, "CAPPED");
  if (pin !== undefined) return answer(basisPoints, "PINNED");
  if (basisPoints === 0) return answer(0, "OFF");
  return answer(basisPoints, basisPoints === BASIS_POINTS_MAX ? "FULL" : "ROLLOUT");
}

/** The percentage that the project itself has for a build: of a rollout the first match, else 0. */
function ownBasisPoints(own: LayerFlag, build: Build): number {
  if (own.rollout.length === 0) return own.flag.basisPoints;
  return own.rollout.find(({ scope }) => allows(scope, build))?.basisPoints ?? 0;
}

function isKilled(
  layers: Layers,
  name: string,
  own: LayerFlag | "misunderstood",
  build: Build,
): boolean {
  const ownKill = own === "misunderstood" ? undefined : own.kill;
  if (ownKill !== undefined && kills(ownKill, build)) return true;
  return rulesFor(layers, (layer) => layer.kills, name).some(({ effect }) =>
    kills(effect.scope, build),
  );
}

function lowestPin(layers: Layers, name: string): number | undefined {
  const pins = layers.overlays.flatMap(({ layer, mayPin }) => {
    const rule = ruleFor(layer.pins, name);
    return rule !== undefined && mayPin(name, rule.effect.basisPoints)
      ? [rule.effect.basisPoints]
      : [];
  });
  return pins.length === 0 ? undefined : Math.min(...pins);
}

function rulesFor<Effect>(
  layers: Layers,
  of: (layer: Layer) => ReadonlyMap<string, LayerRule<Effect>>,
  name: string,
): LayerRule<Effect>[] {
  return layers.overlays.flatMap(({ layer }) => ruleFor(of(layer), name) ?? []);
}
