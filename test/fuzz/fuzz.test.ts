import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { found } from "./found.ts";
import { type Finding, FuzzSession } from "./fuzz-session.ts";
import { InputSlot } from "./input-slot.ts";
import { Broken, type Target, textBytes } from "./target.ts";
import { targetOf, targets } from "./targets.ts";

const slot = new InputSlot();

async function findingsOf(target: Target, inputsCount: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  const onFinding = (finding: Finding): void => void findings.push(finding);
  const of = { target, inputsCount, seed: 7, isGuided: false, isBlind: true, slot, onFinding };
  const outcome = await new FuzzSession(of).run();
  expect(outcome.inputsCount).toBeGreaterThanOrEqual(inputsCount);
  return findings;
}

test.each(targets)("$name: each input is taken, or refused with a reason", async (target) => {
  expect(await findingsOf(target, 3 * target.share)).toEqual([]);
});

test("what breaks a promise is found, and made short", async () => {
  const target: Target = {
    name: "a door that opens to the letter x",
    form: "text",
    share: 1,
    seeds: () => [textBytes("project: horizon\nflags: []\n")],
    open: () => (input) => {
      if (input.includes(120)) throw new Broken("it has opened");
      return "refused";
    },
  };
  const [finding, ...more] = await findingsOf(target, 2_000);
  expect(more).toEqual([]);
  expect(finding).toMatchObject({ what: expect.stringContaining("it has opened") });
  expect(finding?.input).toEqual(textBytes("x"));
});

test.each(found)("$file: $what", async ({ target, file, verdict }) => {
  const input = new Uint8Array(readFileSync(join(import.meta.dirname, "found", file)));
  const given = await targetOf(target).open()(input);
  expect(verdict === undefined ? ["accepted", "refused"] : [verdict]).toContain(given);
});
