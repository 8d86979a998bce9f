import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { findCurrentNatsServer, findNatsServer } from "../../nats-server.mjs";

import { isExecutable } from "../../step.mjs";

const packageDir = resolve(import.meta.dirname, "../../..");

/** Where `node scripts/install-peers.ts` puts what it builds and installs. */
export const peersDir = join(packageDir, "node_modules", ".cache", "headwater", "peers");

/** A program of others that is measured beside Headwater. */
export interface PeerProgram {
  readonly name: string;
  /** Undefined where the machine does not have it. */
  find(): string | undefined;
}

export const flagd: PeerProgram = {
  name: "flagd",
  find: () => process.env["FLAGD_BIN"] ?? onPath("flagd"),
};

export const etcd: PeerProgram = {
  name: "etcd",
  find: () => process.env["ETCD_BIN"] ?? onPath("etcd"),
};

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
  return `${name} is not there: node scripts/install-peers.ts says how to get it`;
}

function onPath(name: string): string | undefined {
  const dirs = [...(process.env["PATH"] ?? "").split(delimiter), join(peersDir, "bin")];
  return dirs
    .filter((dir) => dir !== "")
    .map((dir) => join(dir, name))
    .find(isExecutable);
}
