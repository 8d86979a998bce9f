import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, sep } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundledNames } from "../../scripts/bundled.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import { freePorts } from "../../scripts/demo/free-ports.ts";
import { bundle } from "./bundle.ts";
import {
  environmentOf,
  nodesOfThisMachine,
  type PackedFile,
  pack,
  run,
  runApp,
} from "./command.ts";

/** An empty npm cache has everything to fetch, a modern Node included. */
const deadlineMs = 15 * 60_000;

const rootDir = join(import.meta.dirname, "..", "..");
const workDir = mkdtempSync(join(tmpdir(), "headwater-package-"));
const manifest = JSON.parse(readFileSync(join(rootDir, "package.json"), "utf8")) as {
  version: string;
  dependencies: Readonly<Record<string, string>>;
  devDependencies: Readonly<Record<string, string>>;
};
const openFeature = ["core", "server-sdk", "web-sdk"].map(
  (name) => `@openfeature/${name}@${manifest.devDependencies[`@openfeature/${name}`]}`,
);

const bill = "dist/software-bill.cdx.json";
const licences = "dist/bundled-licences.txt";

/** What a file needs is a tenth of it; something that was not meant to be there is often more. */
const fileBytesMax = 512 * 1024;

/** What must never be published, and where the page's maps would lead. */
const secrets: ReadonlyMap<string, RegExp> = new Map([
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}/],
  ["a join token", /\bhw1\.[\w-]{60}/],
  ["a registry's token", /_authToken|\bnpm_[A-Za-z0-9]{36}/],
  ["a source map", /[#@] sourceMappingURL=/],
]);

/** An app's folder, with the package from its tarball. */
const appDir = join(workDir, "app");
let packed: readonly PackedFile[] = [];
let tarball: Uint8Array<ArrayBuffer>;

beforeAll(() => {
  const { path, files } = pack(rootDir, workDir);
  packed = files;
  tarball = new Uint8Array(readFileSync(path));
  mkdirSync(appDir);
  writeFileSync(join(appDir, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  const dependencies = [path, ...openFeature];
  run({ command: "npm", args: [...install, ...dependencies], dir: appDir });
}, deadlineMs);

afterAll(() => rmSync(workDir, { recursive: true, force: true }));

test("the package holds what runs, and what it means, and nothing else", () => {
  const documents = ["LICENSE", "README.md", "CHANGELOG.md", "package.json", bill, licences];
  const launcher = ["headwater.mjs", "runtime.mjs", "runtime/package.json"];
  const code = /^dist\/(gen|nodes|relay|sdk)\/.*(?<!\.test)\.(js|d\.ts|html|css|svg|json)$/;
  const isKnown = (path: string): boolean =>
    documents.includes(path) ||
    launcher.includes(path.replace(/^scripts\//, "")) ||
    code.test(path) ||
    /^proto\/.*\.proto$/.test(path);
  const paths = packed.map(({ path }) => path);
  expect(paths.filter((path) => !isKnown(path))).toEqual([]);
  expect(paths).toEqual(
    expect.arrayContaining([
      "LICENSE",
      bill,
      licences,
      "dist/nodes/cli/main.js",
      "dist/sdk/index.d.ts",
      "dist/sdk/index.js",
      "dist/sdk/openfeature.d.ts",
      "dist/sdk/openfeature.js",
      "dist/sdk/openfeature-edge.js",
      "dist/sdk/openfeature-web.d.ts",
      "dist/sdk/openfeature-web.js",
      "dist/sdk/web.js",
      "proto/headwater/v1/apps.proto",
      ...launcher.map((path) => `scripts/${path}`),
    ]),
  );
});

test("no file of it is too large, may be written by others, or holds what is of this machine or secret", () => {
  const own = [rootDir, workDir, homedir()].filter((dir) => dir.length > 1);
  const problems = packed.flatMap(({ path, size, mode }) => {
    const text = readFileSync(join(appDir, "node_modules", "headwater", path), "latin1");
    return [
      ...(size > fileBytesMax ? [`${path} has ${size} bytes`] : []),
      ...((mode & 0o022) === 0 ? [] : [`${path} has the mode ${mode.toString(8)}`]),
      ...own.filter((dir) => text.includes(`${dir}${sep}`)).map((dir) => `${path} names ${dir}`),
      ...[...secrets].flatMap(([what, form]) => (form.test(text) ? [`${path} holds ${what}`] : [])),
    ];
  });
  expect(problems).toEqual([]);
});

test("its software bill names what it depends on and what is built in, by content", () => {
  const text = readFileSync(join(appDir, "node_modules", "headwater", bill), "utf8");
  const { components } = JSON.parse(text) as {
    components: { name: string; version: string; hashes: unknown[]; licenses: unknown[] }[];
  };
  const named = components.map(({ name, version }) => `${name}@${version}`);
  const builtIn = bundledNames.map((name) => [name, manifest.devDependencies[name]]);
  const direct = [...Object.entries(manifest.dependencies), ...builtIn].map(
    ([name, at]) => `${name}@${at}`,
  );
  expect(direct.filter((one) => !named.includes(one))).toEqual([]);
  expect(components.filter(({ hashes, licenses }) => !hashes?.length || !licenses?.length)).toEqual(
    [],
  );
});

test(
  "another checkout, in another place and zone and at another time, packs the same bytes",
  () => {
    const elsewhere = join(workDir, "elsewhere", "of another name");
    const isLeftOut = /^(node_modules|scripts.runtime.node_modules|dist|\.git|coverage|data)$/;
    cpSync(rootDir, elsewhere, {
      recursive: true,
      filter: (from) => !isLeftOut.test(from.slice(rootDir.length + 1)),
    });
    symlinkSync(join(rootDir, "node_modules"), join(elsewhere, "node_modules"));
    const { path } = pack(elsewhere, join(workDir, "elsewhere"), { TZ: "Pacific/Chatham" });
    const sumOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
    expect(sumOf(readFileSync(path))).toBe(sumOf(tarball));
  },
  deadlineMs,
);

test("publint finds nothing to say", async () => {
  const { messages, pkg } = await publint({ pack: { tarball: tarball.buffer } });
  expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
});

test("every entry has the types that it should", async () => {
  const analysis = await checkPackage(createPackageFromTarballData(tarball));
  // Modules of the old kind have to import this one; both Nodes that are maintained can require it.
  const problems = !analysis.types
    ? ["no types"]
    : analysis.problems.filter(
        (problem) =>
          !("resolutionKind" in problem) ||
          ["node16-esm", "bundler"].includes(problem.resolutionKind),
      );
  expect(problems).toEqual([]);
});

describe("bundled", () => {
  const pages = ["browser", "import"];
  const edge = ["workerd", "worker", "browser", "import"];

  test.each([
    ["headwater", "pages", pages],
    ["headwater", "edge runtimes", edge],
    ["headwater/openfeature-web", "pages", pages],
  ])("%s asks nothing of Node, for %s", async (entry, _, conditions) => {
    const { builtins } = await bundle({ dir: appDir, entry, conditions });
    expect(builtins).toEqual([]);
  });

  test("headwater/openfeature asks nothing of Node itself, for edge runtimes", async () => {
    const entry = "headwater/openfeature";
    const { builtins } = await bundle({ dir: appDir, entry, conditions: edge });
    const sdk = /^(node:events|async_hooks) by @openfeature\/server-sdk\//;
    expect(builtins.filter((one) => !sdk.test(one))).toEqual([]);
  });

  test("headwater asks Node for what it needs of it, for Node", async () => {
    const conditions = ["node", "import"];
    const { builtins } = await bundle({ dir: appDir, entry: "headwater", conditions });
    expect(builtins.join()).toContain("node:http by headwater/dist/sdk/node-fetch.js");
  });

  test("without OpenFeature, headwater brings none of it", async () => {
    const { code } = await bundle({ dir: appDir, entry: "headwater", conditions: pages });
    expect(code).not.toContain("openfeature");
  });
});

describe.each(nodesOfThisMachine())("on Node %s", (_, node) => {
  test("npm installs it without a word about Nodes", { timeout: deadlineMs }, () => {
    const dir = mkdtempSync(join(workDir, "strict-"));
    writeFileSync(join(dir, "package.json"), JSON.stringify({ private: true }));
    const path = join(workDir, `headwater-${manifest.version}.tgz`);
    const args = [
      "install",
      "--engine-strict",
      "--dry-run",
      "--prefer-offline",
      "--no-audit",
      path,
    ];
    expect(run({ command: "npm", args, dir, node })).toContain("added");
  });

  test("an app gets its flags", () => {
    expect(runApp({ node, dir: appDir })).toBe("true false EMPTY\n");
  });

  test("an app gets its flags by OpenFeature", () => {
    const app = `
      import { OpenFeature } from "@openfeature/server-sdk";
      import { HeadwaterProvider } from "headwater/openfeature";
      const provider = new HeadwaterProvider({
        project: "horizon",
        url: "http://127.0.0.1:9",
        waitMs: 0,
      });
      await OpenFeature.setProviderAndWait(provider).catch(() => {});
      const { value, errorCode } = await OpenFeature.getClient().getBooleanDetails("a", true);
      console.log(value, errorCode);
      await OpenFeature.close();`;
    const args = ["--input-type=module", "--eval", app];
    expect(run({ command: node, args, dir: appDir, node })).toBe("true PROVIDER_NOT_READY\n");
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
