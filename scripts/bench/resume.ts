import { join } from "node:path";
import { BenchRoot } from "./bench-root.ts";
import { dialOf } from "./child-dial.ts";
import type { Bench, Figure } from "./figure.ts";
import type { Resumed } from "./resume-worker.ts";
import { Worker } from "./worker.ts";

const flagsCount = 10_000;
const roundsCount = 30;

/** What a frame of one change may take, with all that comes before it. */
const bytesMax = 2_048;

/** What it takes to come back after one change, beside coming with nothing. */
export const resume: Bench = async (tell) => {
  await using root = await BenchRoot.open(flagsCount);
  await using worker = new Worker(join(import.meta.dirname, "resume-worker.ts"));
  const figures: Figure[] = [];
  const node = await dialOf(root);
  const whos = [
    ["app", { address: root.apps }],
    ["node", node],
  ] as const;
  for (const [who, dial] of whos) {
    tell(`one ${who} comes back after one change of ${flagsCount} flags`);
    const come = (isNew: boolean): Promise<Resumed> => worker.ask(who, { ...dial, isNew });
    figures.push(...figuresOf(who, await measure(root, come)));
  }
  return figures;
};

async function measure(
  root: BenchRoot,
  come: (isNew: boolean) => Promise<Resumed>,
): Promise<{ back: Resumed[]; fresh: Resumed[] }> {
  const back: Resumed[] = [];
  const fresh: Resumed[] = [];
  await come(true);
  for (let round = 0; round < roundsCount; round++) {
    await root.setPercentage(2_000 + round);
    back.push(await come(false));
    fresh.push(await come(true));
  }
  return { back, fresh };
}

function figuresOf(who: string, of: { back: Resumed[]; fresh: Resumed[] }): Figure[] {
  const name = "the whole state";
  return [
    {
      name: `${who} resumes after one change of ${flagsCount} flags: bytes`,
      unit: "B",
      samples: of.back.map(({ bytes }) => bytes),
      beside: { name, samples: of.fresh.map(({ bytes }) => bytes) },
      max: bytesMax,
    },
    {
      name: `${who} resumes after one change of ${flagsCount} flags: time`,
      unit: "ms",
      samples: of.back.map(({ ms }) => ms),
      beside: { name, samples: of.fresh.map(({ ms }) => ms) },
    },
  ];
}
