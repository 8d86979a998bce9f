// Kills, stops, starves and cuts off real nodes in rounds, and holds them to what is promised.
import process from "node:process";
import Table from "cli-table3";
import { HeadwaterError } from "../nodes/error.ts";
import { minuteMs } from "../relay/cadence.ts";
import type { Outcome } from "../test/chaos/rounds.ts";
import { siteHealMsMax, siteRounds } from "../test/chaos/site-rounds.ts";
import { writingHealMsMax, writingRounds } from "../test/chaos/writing-rounds.ts";
import { helpOf, readOptions, runScript } from "./run-script.ts";

const help = `Usage: npm run chaos -- [OPTIONS]

Starts real nodes as processes and lets one thing after the other go wrong:

  writing  a root that writes without a pause and its child: kill -9, SIGSTOP, a full and a
           read-only disk, clocks that are a day wrong, lines that delay, cut, stall, halve, garble
           and flood
  site     a site of three nodes on a real nats-server, with apps that watch: kills and pauses of
           nodes, of NATS and of the root, nodes cut off NATS, a parent cut off

After each it waits until all is right again by itself. Nothing that was acknowledged may be lost,
no app may see an older state after a newer one, each instance has to be counted once.

Options:
  --rounds N     rounds of each (default 20)
  --minutes M    no round of either is begun after so many minutes (default 60)
  --only NAME    writing or site
  --fault TEXT   only what has this in its name, such as kill or NATS
  --apps N       app streams of the site (default 300)
  --seed N       another order of faults (default 1)
  --json         print what came of it as JSON; rounds are told on stderr
  --help         print this

Ends with 1 if a promise was broken.

Example:
  $ npm run chaos -- --only writing --rounds 200
`;

const { values } = readOptions("chaos", {
  options: {
    rounds: { type: "string", default: "20" },
    minutes: { type: "string", default: "60" },
    only: { type: "string" },
    fault: { type: "string" },
    apps: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

await runScript("chaos", run);

async function run(): Promise<number> {
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const { only } = values;
  if (only !== undefined && only !== "writing" && only !== "site")
    throw invalid(`--only: ${JSON.stringify(only)} is neither writing nor site`);
  const bounds = () => ({
    rounds: numberOf("rounds"),
    deadlineMs: performance.now() + numberOf("minutes") * minuteMs,
    seed: numberOf("seed"),
    fault: values.fault,
  });
  const onRound = (line: string): void => void process.stderr.write(`${line}\n`);
  const outcomes: Outcome[] = [];
  if (only !== "site") outcomes.push(await writingRounds({ bounds: bounds(), onRound }));
  if (only !== "writing")
    outcomes.push(await siteRounds({ bounds: bounds(), appsCount: numberOf("apps"), onRound }));
  if (values.json) process.stdout.write(`${JSON.stringify(outcomes, null, 2)}\n`);
  else for (const outcome of outcomes) show(outcome);
  return outcomes.every(({ broken }) => broken.length === 0) ? 0 : 1;
}

function show({ name, rounds, tookMs, tallies, broken, counts }: Outcome): void {
  const head = ["what went wrong", "rounds", "apps right, median", "slowest", "all, slowest"];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const { fault, rounds: count, rightMs, healedMs } of tallies) {
    const sorted = rightMs.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
    const slowest = [sorted.at(-1) ?? 0, Math.max(...healedMs)];
    table.push([fault, count, seconds(median), ...slowest.map(seconds)]);
  }
  const boundMs = name === "site" ? siteHealMsMax : writingHealMsMax;
  const counted = Object.entries(counts).map(([what, count]) => `${what} ${count}`);
  const lines = [
    table.toString(),
    `${name}: ${rounds} rounds in ${seconds(tookMs)}, bound ${seconds(boundMs)}; ${counted.join(", ")}`,
    `promises broken: ${broken.length}`,
    ...broken.map((what) => `  ${what}`),
  ];
  process.stdout.write(`${lines.join("\n")}\n\n`);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function numberOf(name: "rounds" | "minutes" | "apps" | "seed"): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw invalid(`--${name}: ${JSON.stringify(values[name])} is not a whole number above 0`);
}

function invalid(message: string): HeadwaterError {
  return new HeadwaterError({ kind: "invalid", message, hint: helpOf("chaos") });
}
