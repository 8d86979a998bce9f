import type { Random } from "../../relay/random.ts";
import { inputBytesMax } from "./byte-mutator.ts";
import { formatWords, hostileTexts } from "./hostile-values.ts";
import { textBytes, textOf } from "./target.ts";

type Alteration = (text: string, random: Random) => string;

/** A word, a number, a sign, or a run of spaces. */
const token = /[\w.-]+|\s+|[^\w\s]/gu;

/** Puts something in the place of one token. */
function replaced(text: string, random: Random, by: (token: string) => string): string {
  const tokens = text.match(token) ?? [];
  const at = random.below(tokens.length);
  tokens[at] = by(tokens[at] ?? "");
  return tokens.join("");
}

const hostile: Alteration = (text, random) => {
  const word = hostileTexts[random.below(hostileTexts.length)] ?? "";
  const quoted = random.below(2) === 0 ? JSON.stringify(word) : word;
  return replaced(text, random, (one) => (random.below(2) === 0 ? quoted : one + quoted));
};

const format: Alteration = (text, random) => {
  const word = formatWords[random.below(formatWords.length)] ?? "";
  return replaced(text, random, (one) => (random.below(2) === 0 ? word : word + one));
};

const drop: Alteration = (text, random) => replaced(text, random, () => "");

/** Deep nesting, and lists past every bound. */
const repeat: Alteration = (text, random) => {
  const count = 2 ** random.below(random.below(16) === 0 ? 14 : 6);
  return replaced(text, random, (one) => one.repeat(Math.min(count, 32_768 / (one.length + 1))));
};

/** Lines are moved, doubled and indented otherwise. */
const lines: Alteration = (text, random) => {
  const all = text.split("\n");
  const [line = ""] = all.splice(random.below(all.length), random.below(2));
  const indented =
    random.below(2) === 0 ? line : `${" ".repeat(random.below(6))}${line.trimStart()}`;
  all.splice(random.below(all.length + 1), 0, indented);
  if (random.below(4) === 0) all.splice(random.below(all.length + 1), 0, indented);
  return all.join("\n");
};

/** Each anchor stands for two of the one before it: a kilobyte that means a billion. */
const bomb: Alteration = (text, random) => {
  const depth = 1 + random.below(30);
  const rungs = Array.from({ length: depth }, (_, n) =>
    n === 0 ? "  a0: &a0 [x, x]" : `  a${n}: &a${n} [*a${n - 1}, *a${n - 1}]`,
  );
  const lead = ["flags", "releases", "x"][random.below(3)] ?? "x";
  return `${text}\n${lead}:\n${rungs.join("\n")}\n`;
};

const alterations: readonly Alteration[] = [
  hostile,
  hostile,
  format,
  format,
  drop,
  repeat,
  lines,
  lines,
  bomb,
];

/** Alters a text by its words and lines. */
export function alterText(input: Uint8Array, random: Random): Uint8Array {
  let text = textOf(input);
  for (let times = 1 + random.below(3); times > 0; times--) {
    const alteration = alterations[random.below(alterations.length)];
    text = (alteration?.(text, random) ?? text).slice(0, inputBytesMax);
  }
  return textBytes(text).subarray(0, inputBytesMax);
}
