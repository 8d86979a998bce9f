import { sha256 } from "../trust/key.ts";
import { capsFor, type Layers, lowestPin, scopesOfKills } from "./fold.ts";

/**
 * A digest of who takes a flag's path, whatever their release: shares, scopes and kills of all
 * layers. Notes are no part of it.
 */
export function termsOf(layers: Layers, flag: string): Uint8Array {
  const own = layers.own.flags.get(flag);
  const said = own === undefined || own === "misunderstood" ? undefined : own.flag;
  const terms = [
    said?.basisPoints,
    said?.rollout.map(({ versions, basisPoints }) => [versions, basisPoints]),
    said?.versions,
    scopesOfKills(layers, flag),
    capsFor(layers, flag).map(({ effect: { basisPoints, versions } }) => [basisPoints, versions]),
    lowestPin(layers, flag),
  ];
  return sha256(new TextEncoder().encode(JSON.stringify(terms)));
}
