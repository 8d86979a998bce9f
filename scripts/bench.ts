// What Headwater costs, each figure beside a floor or a peer that is measured in the same run.
import process from "node:process";
import { parseArgs } from "node:util";
import { isKept, keepBaseline, readBaseline, slowerThan } from "./bench/baseline.ts";
import { type Bench, type Figure, isReached } from "./bench/figure.ts";
import { localBenches } from "./bench/local-benches.ts";
import { networkBenches } from "./bench/network-benches.ts";
import { peerBenches } from "./bench/peers/peer-benches.ts";
import { openScratch } from "./bench/scratch.ts";
import { markdownOf, tableOf } from "./bench/table.ts";
import { profileVariable } from "./bench/worker.ts";

const usage = `npm run bench [-- OPTIONS]

Measures, and prints each figure as median and quartiles, with its ratio to a floor or a peer that was
measured in the same run. Ends with 1 when a ratio is not what it is to be.

  --only TEXT    the benchmarks whose name contains this
  --peers        beside what others have made as well, where it is there;
                 npm run install-peers gets what can be had, and says how to get the rest
  --json         the figures for machines
  --markdown     the table for a document
  --check        names what has become slower than in scripts/bench/baseline.json, and ends with 1
                 only for that
  --keep         makes this run the baseline
  --profile DIR  leave a CPU profile of each process there
  --help         this

Example: npm run bench -- --only fan-out`;

const benches: Readonly<Record<string, Bench>> = {
  ...networkBenches,
  ...localBenches,
};

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: "" },
      peers: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      markdown: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      profile: { type: "string", default: "" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  openScratch();
  process.env[profileVariable] = values.profile;
  const all = values.peers ? { ...benches, ...peerBenches } : benches;
  const chosen = Object.entries(all).filter(([name]) => name.includes(values.only));
  const { figures, failed } = await measure(chosen);
  const table = values.markdown ? markdownOf(figures) : tableOf(figures);
  const text = values.json ? JSON.stringify({ figures }, undefined, 2) : table;
  process.stdout.write(`${text}\n`);
  if (values.keep) keepBaseline(figures);
  for (const name of failed)
    process.stderr.write(`${name} was not measured: the reason is above\n`);
  if (values.check && failed.length === 0) return check(figures);
  return failed.length === 0 && figures.every((one) => isReached(one) !== false) ? 0 : 1;
}

/** One that fails takes nothing from the others. */
async function measure(
  chosen: readonly (readonly [name: string, bench: Bench])[],
): Promise<{ figures: readonly Figure[]; failed: readonly string[] }> {
  const figures: Figure[] = [];
  const failed: string[] = [];
  for (const [name, bench] of chosen) {
    const tell = (line: string): void => void process.stderr.write(`${name}: ${line}\n`);
    try {
      figures.push(...(await bench(tell)));
    } catch (thrown) {
      tell(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
      failed.push(name);
    }
  }
  return { figures, failed };
}

function check(figures: readonly Figure[]): number {
  const baseline = readBaseline();
  const kept = figures.filter((figure) => isKept(baseline, figure));
  if (kept.length === 0) {
    process.stderr.write("nothing of this is in the baseline: keep one with --keep\n");
    return 1;
  }
  const slower = slowerThan(baseline, figures);
  for (const line of slower) process.stderr.write(`slower: ${line}\n`);
  if (slower.length === 0)
    process.stderr.write(
      `${kept.length} of ${figures.length} are in the baseline, none is slower\n`,
    );
  return slower.length === 0 ? 0 : 1;
}
