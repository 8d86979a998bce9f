// Plays every hostile scenario against real nodes, and prints what became of each. The same
// scenarios are tests; this shows what they say, and what honest peers pay for them.
import process from "node:process";
import Table from "cli-table3";
import { cheats } from "../test/hostile/cheats.ts";
import { fillBulk, hostileCases, playHostile } from "../test/hostile/hostile-children.ts";
import { playCheat } from "../test/hostile/relay-cheats.ts";
import { Scene } from "../test/hostile/scene.ts";
import { readOptions, runScript } from "./run-script.ts";

const help = `Usage: npm run hostile

Runs a root, a relay that cheats in every way, and sites below both, then lets children of the root
misbehave, and says for each what the nodes made of it and what honest peers paid meanwhile.

Options:
  --help  print this

Ends with 1 if an app was shown what its project has not signed, or an older state after a newer one.
`;

const { values } = readOptions("hostile", { options: { help: { type: "boolean" } } });

await runScript("hostile", run);

async function run(): Promise<number> {
  if (values.help === true) {
    process.stdout.write(help);
    return 0;
  }
  await using scene = await Scene.open();
  await showCheats(scene);
  await showChildren(scene);
  const { breaches } = scene;
  const states = [...scene.apps.values()].reduce((sum, app) => sum + app.statesCount, 0);
  say(`Apps were shown ${states} states; forged, mixed or rolled back: ${breaches.length}`);
  for (const { node, project, what } of breaches) say(`  ${node} ${project}: ${what}`);
  return breaches.length === 0 ? 0 : 1;
}

async function showCheats(scene: Scene): Promise<void> {
  const table = tableOf(["A relay sends", "the node below says", "honest", "beside", "mended"]);
  for (const cheat of cheats) {
    const { said, honestMs, besideMs, mendedMs } = await playCheat(scene, cheat);
    const words = said === "" ? "nothing: nothing of it counts" : said;
    table.push([cheat.name, words, time(honestMs), time(besideMs), time(mendedMs)]);
  }
  say(table.toString());
  say("honest: from a commit to the app of a site that is not below the relay");
  say("beside: the same for another project on the link that cheats");
  say("mended: from the relay's being honest again to the newest value\n");
}

async function showChildren(scene: Scene): Promise<void> {
  await fillBulk(scene);
  const table = tableOf(["A child", "what became of it", "honest, slowest", "memory"]);
  for (const [n, hostile] of hostileCases.entries()) {
    const { told, honestMs, memoryGrowthBytes } = await playHostile(scene, hostile, n);
    const mib =
      memoryGrowthBytes === undefined ? "" : `+${Math.round(memoryGrowthBytes / 2 ** 20)} MiB`;
    table.push([hostile.name, told, time(honestMs), mib]);
  }
  say(table.toString());
  say("honest, slowest: the slowest of the changes made meanwhile, to the app of an honest site");
  say("memory: what the parent's process has taken more at the end of the case\n");
}

function tableOf(head: string[]): Table.Table {
  return new Table({ head, wordWrap: true, colWidths: [34, 60], style: { head: [], border: [] } });
}

function time(ms: number): string {
  return `${Math.round(ms)} ms`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
