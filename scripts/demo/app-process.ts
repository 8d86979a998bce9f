// A process with running copies of an app, each with an SDK client of its own. It tells the tour
// what they see, and ends with it.
import process from "node:process";
import { type Client, connect } from "../../sdk/index.ts";
import type { AppAnswer, AppMessage, AskedFlag, Instance, StartApps } from "./app-message.ts";

process.once("message", (start) => void run(start as StartApps));

async function run(start: StartApps): Promise<void> {
  const apps = await Promise.all(start.instances.map((instance) => runApp(instance, start)));
  process.once("disconnect", () => void end(apps.map(({ client }) => client)));
  tell({ started: apps.flatMap(({ answers }) => answers) });
}

async function runApp(
  { id, version, health }: Instance,
  { project, urls, flags }: StartApps,
): Promise<{ client: Client; answers: AppAnswer[] }> {
  const client = await connect({ project, version, instance: id, url: urls });
  const ask = ({ name, otherwise }: AskedFlag): AppAnswer => ({
    instance: id,
    flag: name,
    enabled: client.enabled(name, { default: otherwise }),
  });
  const asked = new Map(flags.map((flag) => [flag.name, flag]));
  client.on("change", ({ name }) => {
    const flag = asked.get(name);
    if (flag !== undefined) tell({ changed: ask(flag) });
  });
  const answers = flags.map(ask);
  // Reported with the answers, so after they were asked for.
  client.health(health);
  return { client, answers };
}

function tell(message: AppMessage): void {
  if (process.connected) process.send?.(message);
}

async function end(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()));
  process.exit();
}
