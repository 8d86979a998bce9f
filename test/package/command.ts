import { spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, sep } from "node:path";
import process from "node:process";

/** The Node that runs the tests, and those which the machine has of its own. */
export function nodesOfThisMachine(): [version: string, path: string][] {
  const dirs = pathOf(process.env).filter((dir) => !dir.includes(`${sep}node_modules${sep}`));
  const paths = dirs.map((dir) => join(dir, "node")).filter((path) => existsSync(path));
  const nodes = new Set([process.execPath, ...paths].map((path) => realpathSync(path)));
  return [...nodes]
    .map((path): [string, string] => [run({ command: path, args: ["--version"] }).trim(), path])
    .filter(([version]) => Number.parseInt(version.slice(1), 10) >= 20);
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  /** Where it runs; anywhere, where not given. */
  readonly dir?: string;
  /** The Node that comes first on the PATH. */
  readonly node?: string;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Answers what it prints. @throws with all that it said, when it fails */
export function run(of: Command): string {
  const { command, args, dir = tmpdir(), node = process.execPath, settings = {} } = of;
  const ended = spawnSync(command, args, {
    cwd: dir,
    encoding: "utf8",
    env: { ...environmentOf(node), ...settings },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (ended.status === 0) return ended.stdout;
  const said = ended.error?.message ?? `${ended.stdout}${ended.stderr}`;
  throw new Error(`${command} ${args.join(" ")} failed in ${dir}:\n${said}`);
}

/** Answers what an app prints that uses the package installed there, and reaches no node. */
export function runApp({ node, dir }: { node: string; dir: string }): string {
  const app = `
    import { connect } from "headwater";
    const flags = await connect({ project: "horizon", url: "http://127.0.0.1:9", waitMs: 0 });
    const answers = [flags.enabled("a", { default: true }), flags.enabled("a"), flags.freshness];
    console.log(...answers);
    await flags.close();`;
  return run({ command: node, args: ["--input-type=module", "--eval", app], dir, node });
}

/** Without what npm says of the package whose tests it runs. */
export function environmentOf(node: string): NodeJS.ProcessEnv {
  const aboutThisRun = /^(npm_(package|lifecycle|command|.*execpath|config_local_prefix)|INIT_CWD)/;
  const kept = Object.entries(process.env).filter(([name]) => !aboutThisRun.test(name));
  const env = Object.fromEntries(kept);
  const own = pathOf(env).filter((dir) => !dir.includes(`${sep}node_modules${sep}`));
  return { ...env, NODE_OPTIONS: "", PATH: [dirname(node), ...own].join(delimiter) };
}

function pathOf(env: NodeJS.ProcessEnv): string[] {
  return (env["PATH"] ?? "").split(delimiter).filter((dir) => dir !== "");
}

/** What npm says of a file in a package. */
export interface PackedFile {
  readonly path: string;
  readonly size: number;
  readonly mode: number;
}

/** Packs a checkout as for the registry. */
export function pack(
  dir: string,
  into: string,
  settings: Readonly<Record<string, string>> = {},
): { path: string; files: readonly PackedFile[] } {
  const args = ["pack", "--json", "--pack-destination", into];
  const [made] = JSON.parse(run({ command: "npm", args, dir, settings })) as {
    filename: string;
    files: PackedFile[];
  }[];
  return { path: join(into, made!.filename), files: made!.files };
}
