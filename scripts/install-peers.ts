// Gets what `npm run bench -- --peers` measures beside Headwater, as far as it can be had here, and
// says how to get the rest.
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { HeadwaterError } from "../nodes/error.ts";
import {
  buildEtcd,
  buildFlagd,
  buildFlagdProxy,
  buildGoFeatureFlag,
  buildUnleashEdge,
} from "./bench/peers/peer-build.ts";
import {
  etcd,
  flagd,
  flagdProxy,
  goFeatureFlag,
  hasSdks,
  type PeerProgram,
  peersDir,
  unleashEdge,
} from "./bench/peers/peer-program.ts";
import { buildCurrentNatsServer, installNatsServer } from "./nats-server.mjs";
import { readOptions, runScript } from "./run-script.ts";
import { runStep } from "./step.mjs";

const help = `Usage: npm run install-peers -- [NAME...]

Gets the programs that \`npm run bench -- --peers\` measures beside Headwater, into
node_modules/.cache, where the benchmark finds them; with names only these. Most are built from
their sources, with Go, and one with Rust: a build takes minutes, and most of an hour on a busy
machine; one that was stopped goes on from there. What can not be had is said, with how to get it.

Names: nats-server, sdks, etcd, flagd, flagd-proxy, go-feature-flag, unleash-edge

Options:
  --help         print this

Ends with 1 if one is not there in the end.

Example:
  $ npm run install-peers -- etcd flagd
`;

const sdksMsMax = 300_000;

/** Answers why it can not be had, or undefined once it is there. */
type Install = () => string | undefined;

const installs: ReadonlyMap<string, Install> = new Map([
  ["nats-server", installNats],
  ["sdks", () => (hasSdks() ? undefined : installSdks())],
  ["etcd", unlessFound(etcd, buildEtcd)],
  ["flagd", unlessFound(flagd, buildFlagd)],
  ["flagd-proxy", unlessFound(flagdProxy, buildFlagdProxy)],
  ["go-feature-flag", unlessFound(goFeatureFlag, buildGoFeatureFlag)],
  // Last, because it takes by far the longest.
  ["unleash-edge", unlessFound(unleashEdge, buildUnleashEdge)],
]);

const { values, positionals } = readOptions("install-peers", {
  options: { help: { type: "boolean", default: false } },
  allowPositionals: true,
});

await runScript("install-peers", run);

async function run(): Promise<number> {
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const unknown = positionals.find((name) => !installs.has(name));
  if (unknown !== undefined)
    throw new HeadwaterError({
      kind: "invalid",
      message: `${unknown} is none of the peers`,
      hint: `Name some of these: ${[...installs.keys()].join(", ")}`,
    });
  mkdirSync(join(peersDir, "bin"), { recursive: true });
  let lackingCount = 0;
  for (const [name, install] of installs) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    process.stdout.write(`${name}: `);
    const reason = install();
    if (reason !== undefined) lackingCount++;
    process.stdout.write(`${reason ?? "there"}\n`);
  }
  return lackingCount === 0 ? 0 : 1;
}

function unlessFound(program: PeerProgram, build: Install): Install {
  return () => (program.find() === undefined ? build() : undefined);
}

/** As their own package-lock.json says. */
function installSdks(): string | undefined {
  const from = join(import.meta.dirname, "bench", "peers");
  for (const file of ["package.json", "package-lock.json"])
    copyFileSync(join(from, file), join(peersDir, file));
  return runStep("npm", ["ci", "--no-audit", "--no-fund"], { cwd: peersDir, timeout: sdksMsMax });
}

/** A current one, or else what the distribution has. */
function installNats(): string | undefined {
  if (buildCurrentNatsServer().path !== undefined) return undefined;
  return installNatsServer().reason;
}
