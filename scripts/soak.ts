// Lets a mesh of real processes work for an hour while everything comes and goes, and says whether
// what they hold grows.
import process from "node:process";
import { HeadwaterError } from "../nodes/error.ts";
import { soak } from "../test/soak/soak.ts";
import { soakTable } from "../test/soak/soak-table.ts";
import { helpOf, readOptions, runScript } from "./run-script.ts";

const help = `Usage: npm run soak -- [OPTIONS]

Runs a root, a vendor, a site of three nodes on a real nats-server and another site, with apps, as
processes. Meanwhile flags, rollouts and censuses come and go, apps come and go, report and crash,
people and monitoring look, nodes and NATS are killed, lines are cut. Every 15 s it asks the processes
that are never killed what they hold after a collection.

Prints for each quantity of each process how much it grows in an hour, with the interval that holds
the true slope in 95 of 100 runs. The first sixth of the time is not looked at.

Options:
  --minutes N  how long (default 60)
  --apps N     apps that run at any time (default 40)
  --seed N     another order of what happens (default 1)
  --json       print what came of it as JSON; samples are told on stderr
  --help       print this

Ends with 1 if something grows beyond doubt, a process ends, or not all nodes have the same at last.

Example:
  $ npm run soak -- --minutes 10
`;

const { values } = readOptions("soak", {
  options: {
    minutes: { type: "string", default: "60" },
    apps: { type: "string", default: "40" },
    seed: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

await runScript("soak", run);

async function run(): Promise<number> {
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const outcome = await soak({
    minutes: numberOf("minutes"),
    appsCount: numberOf("apps"),
    seed: numberOf("seed"),
    onSample: (line) => void process.stderr.write(`${line}\n`),
  });
  const text = values.json ? JSON.stringify(outcome, null, 2) : soakTable(outcome);
  process.stdout.write(`${text}\n`);
  return outcome.courses.some(({ isGrowing }) => isGrowing === true) ? 1 : 0;
}

function numberOf(name: "minutes" | "apps" | "seed"): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw new HeadwaterError({
    kind: "invalid",
    message: `--${name}: ${JSON.stringify(values[name])} is not a whole number above 0`,
    hint: helpOf("soak"),
  });
}
