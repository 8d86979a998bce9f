// Runs the simulator: many nodes on one clock, with every fault, from a seed.
import process from "node:process";
import { HeadwaterError } from "../nodes/error.ts";
import { helpOf, readOptions, runScript } from "./run-script.ts";
import { runMutants } from "./sim/mutants.ts";
import { runRange } from "./sim/range.ts";
import { replay } from "./sim/replay.ts";
import { runScale } from "./sim/scale.ts";

const help = `Usage: npm run sim -- [OPTIONS]

Runs stories of many nodes on one clock, with lost frames, full disks, wrong clocks, lying relays
and all other faults, each from a seed, and holds every node to what is promised.

Options:
  --seed N       run one seed again, exactly, and tell what happens
  --from N       the first seed of a range (default 1)
  --seeds M      how many seeds (default 200)
  --seconds S    as many seeds as fit in so many seconds, instead of a number
  --workers W    processes that share the work (default: one for each core)
  --story FILE   run a story as text instead of a seed
  --scale        measure meshes of 1000 up to a million instances
  --instances N  with --scale: up to N instead, from 1000 on
  --mutants      make one mistake after the other in the core, and see that each is caught
  --help         print this

The last line is the count of seeds, faults and violations. Ends with 1 if there is a violation.

Example:
  $ npm run sim -- --from 1 --seeds 1000
`;

const { values } = readOptions("sim", {
  options: {
    seed: { type: "string" },
    from: { type: "string" },
    seeds: { type: "string" },
    seconds: { type: "string" },
    workers: { type: "string" },
    story: { type: "string" },
    mutants: { type: "boolean" },
    scale: { type: "boolean" },
    instances: { type: "string" },
    help: { type: "boolean" },
  },
});

await runScript("sim", run);

async function run(): Promise<number> {
  if (values.help === true) {
    process.stdout.write(help);
    return 0;
  }
  if (values.seed !== undefined || values.story !== undefined)
    return replay({ seed: numberOf("seed", 1), file: values.story });
  const workersCount = values.workers === undefined ? undefined : numberOf("workers", 1, 1);
  if (values.scale === true) return runScale(numberOf("instances", 1_000_000, 1_000));
  if (values.mutants === true) return runMutants(workersCount);
  return runRange({
    from: numberOf("from", 1),
    seedsCount: numberOf("seeds", values.seconds === undefined ? 200 : Number.MAX_SAFE_INTEGER, 1),
    seconds: values.seconds === undefined ? undefined : numberOf("seconds", 1, 1),
    workersCount,
  });
}

function numberOf(
  name: "seed" | "from" | "seeds" | "seconds" | "workers" | "instances",
  absent: number,
  min = 0,
): number {
  const text = values[name];
  if (text === undefined) return absent;
  const number = Number(text);
  if (text !== "" && Number.isSafeInteger(number) && number >= min) return number;
  throw new HeadwaterError({
    kind: "invalid",
    message: `--${name}: ${JSON.stringify(text)} is not a whole number from ${min} on`,
    hint: helpOf("sim"),
  });
}
