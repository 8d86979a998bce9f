import { fromBinary } from "@bufbuild/protobuf";
import { FlagSchema, RuleSchema } from "../../gen/headwater/v1/flag_pb.ts";
import type { SignedState } from "./truth.ts";

/** What the project lets an overlay pin to, where it grants that. */
export const pinBasisPointsMax = 5_000;

/** What an app may see of a flag: `<basis points>`, `killed`. */
export type Shown = string;

/**
 * What a project's own state and its overlays come to for a published release, worked out once
 * more and in another way: for the stories of the simulator, whose flags have no ranges.
 */
export function referenceFold(of: {
  own: SignedState;
  overlays: readonly SignedState[];
  /** Whether pins count. */
  pins: boolean;
}): Map<string, Shown> {
  const shown = new Map<string, Shown>();
  for (const [key, hex] of of.own.entries)
    if (key.startsWith("flag/")) shown.set(key.slice(5), shownFlag(hex, key.slice(5), of));
  return shown;
}

function shownFlag(
  hex: string,
  name: string,
  of: { overlays: readonly SignedState[]; pins: boolean },
): Shown {
  const flag = fromBinary(FlagSchema, bytesOf(hex));
  const rules = of.overlays.flatMap(({ entries }) =>
    ["cap", "kill", "pin"].flatMap((effect) => {
      const rule = entries.get(`rule/${effect}/${name}`) ?? entries.get(`rule/${effect}/*`);
      return rule === undefined ? [] : [fromBinary(RuleSchema, bytesOf(rule)).effect];
    }),
  );
  const isKilled = flag.kill !== undefined && flag.reader <= 1;
  if (isKilled || rules.some((effect) => effect.case === "kill")) return "killed";
  if (flag.reader > 1) return "0";
  const caps = rules.flatMap((effect) => (effect.case === "cap" ? [effect.value.basisPoints] : []));
  const pins = rules.flatMap((effect) =>
    effect.case === "pin" && effect.value.basisPoints <= pinBasisPointsMax
      ? [effect.value.basisPoints]
      : [],
  );
  const own = of.pins && pins.length > 0 ? Math.min(...pins) : flag.basisPoints;
  return String(Math.min(own, ...caps));
}

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}
