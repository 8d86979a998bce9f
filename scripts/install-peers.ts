// Gets what `npm run bench -- --peers` measures beside Headwater, as far as it can be had here, and
// says how to get the rest. Everything goes into node_modules/.cache, and is found there.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { etcd, flagd, hasSdks, natsServer, peersDir } from "./bench/peers/peer-program.ts";
import { buildCurrentNatsServer, installNatsServer } from "./nats-server.mjs";
import { runStep } from "./step.mjs";

const etcdVersion = "3.6.13";
const flagdVersion = "0.16.1";
const stepMsMax = 900_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

mkdirSync(join(peersDir, "bin"), { recursive: true });
tell("the SDKs of Unleash and LaunchDarkly", hasSdks() ? undefined : installSdks());
tell("etcd", etcd.find() === undefined ? buildEtcd() : undefined);
tell("nats-server", natsServer.find() === undefined ? installNats() : undefined);
tell("flagd", flagd.find() === undefined ? buildFlagd() : undefined);

function tell(name: string, reason: string | undefined): void {
  say(reason === undefined ? `${name}: there` : `${name}: ${reason}`);
}

/** As their own package-lock.json says. */
function installSdks(): string | undefined {
  const from = join(import.meta.dirname, "bench", "peers");
  for (const file of ["package.json", "package-lock.json"])
    copyFileSync(join(from, file), join(peersDir, file));
  return runStep("npm", ["ci", "--no-audit", "--no-fund"], { cwd: peersDir, timeout: stepMsMax });
}

/** Its module has replacements, with which `go install` does nothing. */
function buildEtcd(): string | undefined {
  const dir = join(peersDir, "etcd");
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "go.mod"), "module peer\n");
  const options = { cwd: dir, timeout: stepMsMax };
  return (
    runStep("go", ["get", `go.etcd.io/etcd/server/v3@v${etcdVersion}`], options) ??
    runStep(
      "go",
      ["build", "-o", join(peersDir, "bin", "etcd"), "go.etcd.io/etcd/server/v3"],
      options,
    )
  );
}

function installNats(): string | undefined {
  if (buildCurrentNatsServer().path !== undefined) return undefined;
  return installNatsServer().reason;
}

/** Not every module proxy has it. */
function buildFlagd(): string | undefined {
  const env = { ...process.env, GOBIN: join(peersDir, "bin") };
  const module = `github.com/open-feature/flagd/flagd@v${flagdVersion}`;
  const reason = runStep("go", ["install", module], { env, timeout: stepMsMax });
  return (
    reason &&
    `${reason}\n  hint: put a release of https://github.com/open-feature/flagd/releases on the PATH, or name it in FLAGD_BIN`
  );
}
