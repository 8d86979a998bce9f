import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Random } from "../../relay/random.ts";
import { ceilingOf } from "./ceiling.ts";
import { type Answer, answersOf } from "./experiment.ts";
import { experiments } from "./experiments.ts";
import { hopError } from "./hops.ts";
import { type Findings, missed } from "./laboratory.ts";
import { pictureOf } from "./picture.ts";
import { waveDays } from "./population.ts";
import { sendTimes } from "./send-times.ts";
import { tablesOf } from "./tables.ts";
import { zeroDate } from "./zero-date.ts";

const findings = JSON.parse(
  readFileSync(join(import.meta.dirname, "findings.json"), "utf8"),
) as Findings;

/** Few sites: bounds are as wide as chance among so few makes them. */
function small(name: string, sizes: readonly number[]): Map<string, Answer> {
  const found = experiments.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no experiment ${name}`);
  const experiment = { ...found, sizes };
  const answers = answersOf({ experiment, scale: { training: 16, attacked: 40 }, seed: 1 });
  return new Map(answers.map((answer) => [answer.level, answer]));
}

describe("a parent that attacks", () => {
  test("finds a site's size by probe flags when it is rounded, and not by a panel", () => {
    const answers = small("130 probe flags", [100, 1_000]);
    expect(answers.get("ROUNDED")?.accuracy).toBeGreaterThan(0.95);
    // Four standard errors of 80 guesses at one in two.
    expect(answers.get("PANEL")?.accuracy).toBeLessThan(0.5 + 4 * Math.sqrt(0.25 / 80));
  });

  test("finds the size of a small site by its values when they are rounded, not by its mode", () => {
    const answers = small("independent upgrades of few", [1, 3, 8, 20]);
    expect(answers.get("ROUNDED")?.accuracy).toBeGreaterThan(0.6);
    expect(answers.get("MODAL")?.accuracy).toBeLessThan(0.25 + 4 * Math.sqrt(0.1875 / 160));
  });

  test("finds a site's size by which verdicts it can give when it is rounded, not by a panel", () => {
    const answers = small("verdicts on 12 probe flags", [100, 400]);
    expect(answers.get("ROUNDED")?.accuracy).toBeGreaterThan(0.9);
    expect(answers.get("PANEL")?.accuracy).toBeLessThan(0.5 + 4 * Math.sqrt(0.25 / 80));
  });

  test("sees documents of one size", () => {
    for (const name of ["independent upgrades", "rare failures", "upgrades of a real browser"])
      for (const { bytesCount } of small(name, [100, 140]).values()) expect(bytesCount).toBe(1);
  });
});

describe("what nobody can exceed", () => {
  const ceiling = (sites: readonly number[][]): number =>
    ceilingOf({ random: new Random(1), runs: 2_000, draw: () => sites });

  test("is to guess where sites are alike, and to know where they are not", () => {
    expect(ceiling([waveDays(400), waveDays(400)])).toBeCloseTo(0.5);
    expect(
      ceiling([
        [100, 0],
        [0, 100],
      ]),
    ).toBeCloseTo(1);
  });

  test("is a little more than to guess for exact waves of 100 and more, as summed exactly", () => {
    // Over all 1771 counts of a panel in four waves it is 0.27448.
    expect(ceiling([100, 400, 1_000, 10_000].map(waveDays))).toBeCloseTo(0.27448, 2);
  });
});

test("documents of sites of all sizes are sent at the same times", () => {
  expect(sendTimes(1)).toMatchObject({ sitesCount: 8, listsCount: 1 });
});

test("over two hops that hide, shares are right in the mean of 5 vendors of 50 sites", () => {
  const { bias, p95 } = hopError({ vendorsCount: 5, sitesCount: 50, trialsCount: 2, seed: 1 });
  expect(Math.abs(bias)).toBeLessThan(1);
  expect(p95).toBeLessThan(3.5);
});

test("the date of a zero tells next to nothing when windows begin with the question", () => {
  const of = { delayDays: 7, windowDays: 90, runs: 4_000, seed: 1 };
  expect(zeroDate({ ...of, anchored: true }).bits).toBeLessThan(0.05);
  expect(zeroDate({ ...of, anchored: false }).bits).toBeGreaterThan(0.05);
});

describe("what is kept of the whole laboratory", () => {
  test("is what docs/privacy.md shows", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/privacy.md"), "utf8");
    expect(page).toContain(tablesOf(findings));
  });

  test("is what docs/privacy.svg draws", () => {
    const picture = readFileSync(join(import.meta.dirname, "../../docs/privacy.svg"), "utf8");
    expect(picture).toBe(pictureOf(findings));
  });

  test("is judged by the bounds of now", () => {
    for (const { experiment, level, most } of findings.answers) {
      const bound = experiments.find(({ name }) => name === experiment)?.most[level];
      expect([experiment, level, most]).toEqual([experiment, level, bound]);
    }
    const command = ["test/privacy/main.ts", "--kept", "--json"];
    const ended = spawnSync(process.execPath, command, {
      cwd: join(import.meta.dirname, "../.."),
      encoding: "utf8",
    });
    expect(JSON.parse(ended.stdout)).toEqual(findings);
    expect(ended.status).toBe(missed(findings).length === 0 ? 0 : 1);
  });
});

test("the command says how it is used", () => {
  const run = (...options: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, "main.ts"), ...options], {
      encoding: "utf8",
    });
  expect(run("--help")).toMatchObject({ status: 0 });
  expect(run("--help").stdout).toContain("npm run privacy");
  expect(run("--nonsense")).toMatchObject({ status: 2 });
});
