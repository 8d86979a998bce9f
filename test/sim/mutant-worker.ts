// Alters one file of the core as it is loaded, then runs stories until one of them notices.
import { registerHooks } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import { foundStories } from "./found-stories.ts";
import type { Caught, MutantTask } from "./mutation.ts";
import type { RunResult } from "./run.ts";
import { toldStories } from "./told-stories.ts";

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
const { runSeed, runStory } = await import("./run.ts");
const { parseStory } = await import("./story.ts");

parentPort?.postMessage(firstCatch());

/** The seed that has shown it before comes first, then the stories that were kept: most are short. */
function firstCatch(): Caught {
  const known = catchOf(mutant.seed, () => runSeed(mutant.seed));
  if (known !== undefined) return known;
  for (const [, text] of [...foundStories, ...toldStories]) {
    const story = parseStory(text);
    const caught = catchOf(story.seed, () => runStory(story));
    if (caught !== undefined) return caught;
  }
  for (let seed = 1; seed <= seedsMax; seed++) {
    const caught = catchOf(seed, () => runSeed(seed));
    if (caught !== undefined) return caught;
  }
  return { seed: undefined, by: "" };
}

function catchOf(seed: number, run: () => RunResult): Caught | undefined {
  try {
    const { broken } = run();
    return broken && { seed, by: broken.promise };
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return { seed, by: `nothing runs: ${why.slice(0, 80)}` };
  }
}
