import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { findCurrentNatsServer, findNatsServer } from "../../nats-server.mjs";

import { isExecutable } from "../../step.mjs";

const packageDir = resolve(import.meta.dirname, "../../..");

/** Where `npm run install-peers` puts what it builds and installs. */
export const peersDir = join(packageDir, "node_modules", ".cache", "headwater", "peers");

/** A program of others that is measured beside Headwater. */
export interface PeerProgram {
  readonly name: string;
  /** Undefined where the machine does not have it. */
  find(): string | undefined;
}

/** The file of that name on the PATH or where it is installed, unless the variable names another. */
function program(name: string, file: string, variable: string): PeerProgram {
  return { name, find: () => process.env[variable] ?? onPath(file) };
}

export const flagd = program("flagd", "flagd", "FLAGD_BIN");
export const flagdProxy = program("flagd-proxy", "flagd-proxy", "FLAGD_PROXY_BIN");
export const goFeatureFlag = program("GO Feature Flag", "go-feature-flag", "GO_FEATURE_FLAG_BIN");
export const unleashEdge = program("Unleash Edge", "unleash-edge", "UNLEASH_EDGE_BIN");
export const etcd = program("etcd", "etcd", "ETCD_BIN");

export const natsServer: PeerProgram = {
  name: "nats-server",
  find: () => findCurrentNatsServer() ?? findNatsServer(),
};

/** Whether the SDKs of others are installed. */
export function hasSdks(): boolean {
  return existsSync(join(peersDir, "node_modules", "unleash-client"));
}

/** What is said of one that is not there. */
export function absenceOf({ name }: { name: string }): string {
  return `${name} is not there: npm run install-peers says how to get it`;
}

function onPath(name: string): string | undefined {
  const dirs = [...(process.env["PATH"] ?? "").split(delimiter), join(peersDir, "bin")];
  return dirs
    .filter((dir) => dir !== "")
    .map((dir) => join(dir, name))
    .find(isExecutable);
}
