// What Headwater costs, each figure beside a floor or a peer that is measured in the same run.
import process from "node:process";
import { parseArgs } from "node:util";
import { fanOut } from "./bench/fan-out.ts";
import { type Bench, type Figure, isReached } from "./bench/figure.ts";
import { tableOf } from "./bench/table.ts";
import { tracked } from "./bench/tracked.ts";

const usage = `npm run bench [-- OPTIONS]

Measures, and prints each figure as median and quartiles, with its ratio to a floor or a peer that was
measured in the same run. Ends with 1 when a ratio is not what it is to be.

  --only TEXT  the benchmarks whose name contains this
  --json       the figures for machines
  --help       this

Example: npm run bench -- --only fan-out`;

const benches: Readonly<Record<string, Bench>> = {
  "fan-out": fanOut([100, 1_000, 5_000]),
  tracked,
};

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", default: "" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const figures: Figure[] = [];
  for (const [name, bench] of Object.entries(benches))
    if (name.includes(values.only))
      figures.push(...(await bench((line) => process.stderr.write(`${name}: ${line}\n`))));
  const text = values.json ? JSON.stringify({ figures }, undefined, 2) : tableOf(figures);
  process.stdout.write(`${text}\n`);
  return figures.every((figure) => isReached(figure) !== false) ? 0 : 1;
}
