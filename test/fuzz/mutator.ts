import type { Random } from "../../relay/random.ts";
import { alterBytes, splice } from "./byte-mutator.ts";
import type { Target } from "./target.ts";
import { alterText } from "./text-mutator.ts";
import { alterWire } from "./wire-mutator.ts";

/** Of ten inputs so many are altered as bytes, whatever they are written in. */
const rawOfTen = 2;

/** Another input, made from one that is known and perhaps a second. */
export function mutate(of: {
  form: Target["form"];
  input: Uint8Array;
  other: Uint8Array;
  random: Random;
}): Uint8Array {
  const { form, input, other, random } = of;
  if (random.below(20) === 0) return splice(input, other, random);
  const isRaw = form === "bytes" || random.below(10) < rawOfTen;
  if (isRaw) return alterBytes(input, random);
  if (form === "text") return alterText(input, random);
  return alterWire(input, random, other) ?? alterBytes(input, random);
}
