import { join } from "node:path";
import type { Bench, Figure } from "./figure.ts";
import { Worker } from "./worker.ts";

const many = 1_000_000;
const few = 1_000;
const roundsCount = 5;
/** So many report between two ends of a window. */
const againCount = 10_000;

/** What a site pays for the instances that it tracks: memory for each, and time when a window ends. */
export const tracked: Bench = async (tell) => {
  tell(`${many} instances report`);
  await using large = await siteOf(many);
  await using names = workerOf();
  const floorBytes = await names.ask<number>("fillMap", { count: many });
  tell("windows end");
  const manyMs = await closes(large.worker);
  await using small = await siteOf(few);
  const fewMs = await closes(small.worker);
  return [
    {
      name: `memory of a tracked instance, of ${many}`,
      unit: "B",
      samples: [large.bytes / many],
      beside: { name: "a map of their names", samples: [floorBytes / many] },
      max: 200,
    },
    {
      name: `end of a window, ${many} instances: event loop blocked`,
      unit: "ms",
      samples: manyMs,
      beside: { name: `of ${few}`, samples: fewMs },
      max: 50,
    },
  ] satisfies Figure[];
};

interface FilledSite extends AsyncDisposable {
  readonly worker: Worker;
  readonly bytes: number;
}

async function siteOf(count: number): Promise<FilledSite> {
  const worker = workerOf();
  const bytes = await worker.ask<number>("fill", { count });
  return { worker, bytes, [Symbol.asyncDispose]: () => worker[Symbol.asyncDispose]() };
}

function workerOf(): Worker {
  return new Worker(join(import.meta.dirname, "tracked-worker.ts"));
}

async function closes(worker: Worker): Promise<number[]> {
  const samples: number[] = [];
  for (let round = 0; round < roundsCount; round++) {
    const { ms, documents } = await worker.ask<{ ms: number; documents: number }>("close");
    if (documents === 0) throw new Error("no document was due");
    samples.push(ms);
    await worker.ask("again", { count: againCount });
  }
  return samples;
}
