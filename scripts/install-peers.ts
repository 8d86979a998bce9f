// Gets what `npm run bench -- --peers` measures beside Headwater, as far as it can be had here, and
// says how to get the rest. Everything goes into node_modules/.cache, and is found there.
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
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
  natsServer,
  type PeerProgram,
  peersDir,
  unleashEdge,
} from "./bench/peers/peer-program.ts";
import { buildCurrentNatsServer, installNatsServer } from "./nats-server.mjs";
import { runStep } from "./step.mjs";

const sdksMsMax = 300_000;

const builds: readonly (readonly [PeerProgram, () => string | undefined])[] = [
  [etcd, buildEtcd],
  [flagd, buildFlagd],
  [flagdProxy, buildFlagdProxy],
  [goFeatureFlag, buildGoFeatureFlag],
  // Last, because it takes by far the longest.
  [unleashEdge, buildUnleashEdge],
];

mkdirSync(join(peersDir, "bin"), { recursive: true });
tell(natsServer.name, installNats());
tell("the SDKs of Unleash and LaunchDarkly", hasSdks() ? undefined : installSdks());
for (const [program, build] of builds)
  tell(program.name, program.find() === undefined ? build() : undefined);

function tell(name: string, reason: string | undefined): void {
  process.stdout.write(`${name}: ${reason ?? "there"}\n`);
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
