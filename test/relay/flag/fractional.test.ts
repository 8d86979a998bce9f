import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bucketOf } from "../../../relay/flag/bucket.ts";

type Operand = string | { var: string } | { cat: Operand[] };
type Weighted = [variant: string, weight?: number];

interface Vector {
  title: string;
  flag: string;
  definition: { targeting: { fractional: (Operand | Weighted)[] }; variants: object };
  context: Record<string, unknown>;
  expected: string;
}

const { source, vectors } = JSON.parse(
  readFileSync(new URL("fractional-v2-vectors.json", import.meta.url), "utf8"),
) as { source: string; vectors: Vector[] };

describe(`fractional, as in ${source}`, () => {
  it("has vectors", () => {
    expect(vectors).toHaveLength(15);
  });

  it.each(vectors)("$title: $context is $expected", ({ flag, definition, context, expected }) => {
    const variant = variantOf({ flag, context, fractional: definition.targeting.fractional });
    expect(new Map(Object.entries(definition.variants)).get(variant)).toBe(expected);
  });
});

interface Fractional {
  flag: string;
  context: Record<string, unknown>;
  fractional: (Operand | Weighted)[];
}

/** Our hash in flagd's operator: the first variant whose cumulative weight is above the bucket. */
function variantOf({ flag, context, fractional }: Fractional): string {
  const [first, ...rest] = fractional;
  const { targetingKey } = context;
  const known = { ...context, $flagd: { flagKey: flag } };
  const isShorthand = Array.isArray(first);
  const weighted = (isShorthand ? fractional : rest) as Weighted[];
  const hash = isShorthand
    ? bucketOf({ flag, instance: String(targetingKey) })
    : bucketOf({ flag: "", instance: textOf(first as Operand, known) });
  const total = weighted.reduce((sum, [, weight = 1]) => sum + weight, 0);
  const bucket = Number((BigInt(hash) * BigInt(total)) >> 32n);
  let cumulative = 0;
  for (const [variant, weight = 1] of weighted) {
    cumulative += weight;
    if (cumulative > bucket) return variant;
  }
  throw new Error(`no variant covers bucket ${bucket}`);
}

function textOf(operand: Operand, known: object): string {
  if (typeof operand === "string") return operand;
  if ("cat" in operand) return operand.cat.map((part) => textOf(part, known)).join("");
  const path = operand.var.split(".");
  return String(path.reduce((at: unknown, key) => (at as Record<string, unknown>)[key], known));
}
