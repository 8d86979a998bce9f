import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, sep } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../../scripts/demo/eventually.ts";
import { freePorts } from "../../scripts/demo/free-ports.ts";

/** An empty npm cache has everything to fetch, a modern Node included. */
const deadlineMs = 15 * 60_000;

const rootDir = join(import.meta.dirname, "..", "..");
const workDir = mkdtempSync(join(tmpdir(), "headwater-package-"));
const manifest = JSON.parse(readFileSync(join(rootDir, "package.json"), "utf8")) as {
  version: string;
};

/** An app's folder, with the package from its tarball. */
const appDir = join(workDir, "app");
let packed: readonly string[] = [];

beforeAll(() => {
  const args = ["pack", "--json", "--pack-destination", workDir];
  const [tarball] = JSON.parse(run({ command: "npm", args, dir: rootDir })) as {
    filename: string;
    files: { path: string }[];
  }[];
  packed = tarball!.files.map(({ path }) => path);
  mkdirSync(appDir);
  writeFileSync(join(appDir, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  run({ command: "npm", args: [...install, join(workDir, tarball!.filename)], dir: appDir });
}, deadlineMs);

afterAll(() => rmSync(workDir, { recursive: true, force: true }));

test("the package holds what runs, and what it means, and nothing else", () => {
  const documents = ["LICENSE", "README.md", "CHANGELOG.md", "package.json"];
  const launcher = ["headwater.mjs", "runtime.mjs", "runtime/package.json"];
  const code = /^dist\/(gen|nodes|relay|sdk)\/.*(?<!\.test)\.(js|d\.ts|html|css|svg|json)$/;
  const isKnown = (path: string): boolean =>
    documents.includes(path) ||
    launcher.includes(path.replace(/^scripts\//, "")) ||
    code.test(path) ||
    /^proto\/.*\.proto$/.test(path);
  expect(packed.filter((path) => !isKnown(path))).toEqual([]);
  expect(packed).toEqual(
    expect.arrayContaining([
      "LICENSE",
      "dist/nodes/cli/main.js",
      "dist/sdk/index.d.ts",
      "dist/sdk/index.js",
      "dist/sdk/web.js",
      "proto/headwater/v1/apps.proto",
      ...launcher.map((path) => `scripts/${path}`),
    ]),
  );
});

describe.each(nodesOfThisMachine())("on Node %s", (_, node) => {
  test("an app gets its flags", () => {
    expect(runApp({ node, dir: appDir })).toBe("true false EMPTY\n");
  });

  test("an app needs none of what only servers need", () => {
    const dir = mkdtempSync(join(workDir, "bare-"));
    writeFileSync(join(dir, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const needed = [
      "headwater",
      "@bufbuild/protobuf",
      "@connectrpc/connect",
      "@connectrpc/connect-web",
    ];
    for (const name of needed) {
      const path = join("node_modules", name);
      cpSync(join(appDir, path), join(dir, path), { recursive: true });
    }
    expect(runApp({ node, dir })).toBe("true false EMPTY\n");
  });

  test("the command runs", { timeout: deadlineMs }, () => {
    const args = ["--no-install", "headwater", "--version"];
    expect(run({ command: "npx", args, dir: appDir, node })).toContain(manifest.version);
  });
});

test("a node, its commands and the SDK work together", { timeout: deadlineMs }, async () => {
  const [apps, mesh, admin] = await freePorts(3);
  const settings = {
    HEADWATER_NAME: "upstream",
    HEADWATER_DATA_DIR: join(appDir, "data"),
    HEADWATER_APPS_ADDR: `127.0.0.1:${apps}`,
    HEADWATER_MESH_ADDR: `127.0.0.1:${mesh}`,
    HEADWATER_ADMIN_ADDR: `127.0.0.1:${admin}`,
    HEADWATER_ADMIN_URL: `http://127.0.0.1:${admin}`,
    HEADWATER_URL: `http://127.0.0.1:${apps}`,
    XDG_CONFIG_HOME: join(appDir, "config"),
  };
  const headwater = join(appDir, "node_modules/.bin/headwater");
  const env = { ...environmentOf(process.execPath), ...settings };
  const node = spawn(headwater, ["node"], { cwd: appDir, env, stdio: "ignore" });
  try {
    await eventually(
      "the node serves",
      async () => (await fetch(`http://127.0.0.1:${admin}/healthz`)).ok,
      60_000,
    );
    for (const args of [
      ["init", "horizon"],
      ["flag", "set", "horizon/new-scheduler", "100%"],
    ])
      run({ command: headwater, args, dir: appDir, settings });
    const app = `
      import { connect } from "headwater";
      const flags = await connect({ project: "horizon", version: "1.0.0" });
      console.log(flags.enabled("new-scheduler"), flags.freshness);
      await flags.close();`;
    const args = ["--input-type=module", "--eval", app];
    expect(run({ command: "node", args, dir: appDir, settings })).toBe("true FRESH\n");
  } finally {
    node.kill();
  }
});

function runApp({ node, dir }: { node: string; dir: string }): string {
  const app = `
    import { connect } from "headwater";
    const flags = await connect({ project: "horizon", url: "http://127.0.0.1:9", waitMs: 0 });
    const answers = [flags.enabled("a", { default: true }), flags.enabled("a"), flags.freshness];
    console.log(...answers);
    await flags.close();`;
  return run({ command: node, args: ["--input-type=module", "--eval", app], dir, node });
}

/** The Node that runs the tests, and those which the machine has of its own. */
function nodesOfThisMachine(): [version: string, path: string][] {
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
  readonly dir?: string;
  /** The Node that comes first on the PATH. */
  readonly node?: string;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Answers what it prints. @throws with all that it said, when it fails */
function run(of: Command): string {
  const { command, args, dir = workDir, node = process.execPath, settings = {} } = of;
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

/** Without what npm says of the package whose tests it runs. */
function environmentOf(node: string): NodeJS.ProcessEnv {
  const aboutThisRun = /^(npm_(package|lifecycle|command|.*execpath|config_local_prefix)|INIT_CWD)/;
  const kept = Object.entries(process.env).filter(([name]) => !aboutThisRun.test(name));
  const env = Object.fromEntries(kept);
  const own = pathOf(env).filter((dir) => !dir.includes(`${sep}node_modules${sep}`));
  return { ...env, NODE_OPTIONS: "", PATH: [dirname(node), ...own].join(delimiter) };
}

function pathOf(env: NodeJS.ProcessEnv): string[] {
  return (env["PATH"] ?? "").split(delimiter).filter((dir) => dir !== "");
}
