// Plays every hostile scenario against real nodes, and prints what became of each. The same
// scenarios are tests; this shows what they say, and what honest peers pay for them.
import process from "node:process";
import Table from "cli-table3";
import { cheats } from "../test/hostile/cheats.ts";
import { fillBulk, hostileCases, playHostile } from "../test/hostile/hostile-children.ts";
import { playCheat } from "../test/hostile/relay-cheats.ts";
import { Scene } from "../test/hostile/scene.ts";

await using scene = await Scene.open();
await showCheats();
await showChildren();
const { breaches } = scene;
const states = [...scene.apps.values()].reduce((sum, app) => sum + app.statesCount, 0);
say(`Apps were shown ${states} states; forged, mixed or rolled back: ${breaches.length}`);
for (const { node, project, what } of breaches) say(`  ${node} ${project}: ${what}`);
process.exitCode = breaches.length === 0 ? 0 : 1;

async function showCheats(): Promise<void> {
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

async function showChildren(): Promise<void> {
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
