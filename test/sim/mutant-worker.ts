// Alters one file of the core as it is loaded, then runs seeds until one of them notices.
import { registerHooks } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { Caught, MutantTask } from "./mutation.ts";

const { mutant, seedsMax } = workerData as MutantTask;

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (!url.endsWith(`/relay/${mutant.file}`)) return loaded;
    const text = Buffer.from(loaded.source as Uint8Array).toString("utf8");
    const parts = text.split(mutant.find);
    if (parts.length !== 2)
      throw new Error(
        `${mutant.name}: its text occurs ${parts.length - 1} times in ${mutant.file}`,
      );
    return { ...loaded, source: parts.join(mutant.replace) };
  },
});

// After the hook, so that the core is loaded through it.
const { runSeed } = await import("./run.ts");

parentPort?.postMessage(firstCatch());

function firstCatch(): Caught {
  const all = Array.from({ length: seedsMax }, (_, at) => at + 1);
  for (const seed of [mutant.seed, ...all]) {
    try {
      const { broken } = runSeed(seed);
      if (broken !== undefined) return { seed, by: broken.promise };
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      return { seed, by: `nothing runs: ${why.slice(0, 80)}` };
    }
  }
  return { seed: undefined, by: "" };
}
