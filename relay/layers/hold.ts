import { rangeLengthMax } from "../flag/version-range.ts";
import { capsFor, type Layers, lowestPin, scopesOfKills } from "./fold.ts";
import { parseScope } from "./scope.ts";

/** A cap as an overlay says it, or why no single one does. */
export type Hold =
  | { readonly basisPoints: number; readonly versions: string }
  | { readonly problem: string };

/**
 * The cap that keeps a flag at what all layers make of it now, whatever the others say later. A
 * flag that is killed for every build is held at nobody; a kill of some builds is left to itself.
 */
export function holdOf(layers: Layers, name: string): Hold {
  const own = layers.own.flags.get(name);
  if (own === undefined) return { problem: "there is no such flag" };
  const isKilled = scopesOfKills(layers, name).includes("every");
  if (own === "misunderstood" || isKilled) return { basisPoints: 0, versions: "" };
  const caps = capsFor(layers, name).map(({ effect }) => effect);
  const pin = lowestPin(layers, name);
  if (pin === undefined && own.rollout.length > 0)
    return { problem: "its percentage differs by version, and a cap has only one" };
  const base = pin ?? own.flag.basisPoints;
  const versions = intersection([own.flag.versions, ...caps.map((cap) => cap.versions)]);
  if (versions === undefined)
    return { problem: "the versions of all layers do not fit into one range" };
  return { basisPoints: Math.min(base, ...caps.map((cap) => cap.basisPoints)), versions };
}

/** One range for what is in all of them; empty for every build, undefined when it is too long. */
function intersection(texts: readonly string[]): string | undefined {
  let alternatives = [""];
  for (const text of new Set(texts)) {
    if (parseScope(text) === "every") continue;
    const parts = text.split("||").map((part) => part.trim());
    alternatives = alternatives.flatMap((one) => parts.map((part) => `${one} ${part}`.trim()));
    if (alternatives.join(" || ").length > rangeLengthMax) return undefined;
  }
  const range = alternatives.join(" || ");
  return parseScope(range) === undefined ? undefined : range;
}
