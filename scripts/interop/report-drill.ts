import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import { eventually } from "../demo/eventually.ts";
import { NodeProcess } from "../demo/node-process.ts";
import type { Command } from "./toolchain.ts";

const run = promisify(execFile);

const project = "horizon";
const flag = "new-scheduler";
const release = "2.3.0";
const programMsMax = 60_000;

interface ShownWeight {
  readonly name: string;
  readonly count?: number;
}

/**
 * Lets a program ask for a flag and report by OpenTelemetry, with nothing of ours in it; the node
 * then knows its release, and that the flag is on there.
 * @param say gets what is typed, and what is said to it
 */
export async function reportDrill(of: {
  command: Command;
  say: (line: string) => void;
}): Promise<void> {
  const { command, say } = of;
  await using node = await NodeProcess.start("upstream");
  await node.do(["init", project]);
  const file = `project: ${project}\nflags: { ${flag}: { percent: 100 } }\nreleases: ["${release}"]\n`;
  await node.do(["apply", "--yes", "-f", "-"], file);
  const [host = "", port = ""] = node.apps.split(":");
  const attributes = `service.version=${release},service.instance.id=i-1`;
  const { stdout } = await run(command.file, [...command.args], {
    timeout: programMsMax,
    env: {
      ...process.env,
      FLAGD_HOST: host,
      FLAGD_PORT: port,
      FLAGD_RESOLVER: "rpc",
      OTEL_SERVICE_NAME: project,
      OTEL_RESOURCE_ATTRIBUTES: attributes,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${node.apps}`,
    },
  });
  say(stdout.trim());
  if (stdout.trim() !== `${flag} is on`) throw new Error(`it said: ${stdout}`);
  await eventually("the node knows of it", async () => (await heardOf(node)) === "1 1");
  say(`$ headwater fleet ${project}`);
  say((await node.run(["fleet", project])).stdout.trim());
}

/** How many instances run the release, and on how many the flag is on. */
async function heardOf(node: NodeProcess): Promise<string> {
  const { stdout } = await node.run(["fleet", project, "--json"]);
  const { weights } = JSON.parse(stdout) as {
    weights?: { releases?: ShownWeight[]; flags?: ShownWeight[] };
  };
  const countOf = (list: ShownWeight[] | undefined, name: string): number =>
    list?.find((one) => one.name === name)?.count ?? 0;
  return `${countOf(weights?.releases, release)} ${countOf(weights?.flags, flag)}`;
}
