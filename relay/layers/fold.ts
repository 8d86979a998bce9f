import { BASIS_POINTS_MAX, HASH_VERSION } from "../flag/bucket.ts";
import type { EffectiveFlag, Reason } from "../flag/effective-flag.ts";
import { type CapEffect, type Layer, type LayerFlag, type LayerRule, ruleFor } from "./layer.ts";
import type { Overlay } from "./overlay.ts";
import { allows, type Build, kills, type Scope } from "./scope.ts";

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
  if (scopesOfKills(layers, name).some((scope) => kills(scope, build))) return answer(0, "KILLED");
  if (own === "misunderstood") return answer(0, "NOT_UNDERSTOOD");
  const caps = capsFor(layers, name);
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

/** What all layers kill a flag for. */
export function scopesOfKills(layers: Layers, name: string): Scope[] {
  const own = layers.own.flags.get(name);
  const ownKill = own === undefined || own === "misunderstood" ? undefined : own.kill;
  const overlaid = rulesFor(layers, (layer) => layer.kills, name).map(({ effect }) => effect.scope);
  return ownKill === undefined ? overlaid : [ownKill, ...overlaid];
}

export function capsFor(layers: Layers, name: string): LayerRule<CapEffect>[] {
  return rulesFor(layers, (layer) => layer.caps, name);
}

/** The percentage that replaces the project's own, of those that are granted. */
export function lowestPin(layers: Layers, name: string): number | undefined {
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
