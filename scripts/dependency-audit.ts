import { spawnSync } from "node:child_process";
import { bundledNames } from "./bundled.ts";

/** What came of asking the registry about known holes in what the package brings along. */
export type Audit =
  | { readonly is: "clean" }
  | { readonly is: "found"; readonly holes: readonly string[] }
  /** The registry could not be asked, or does not know. */
  | { readonly is: "unknown"; readonly reason: string };

const auditMsMax = 90_000;

/** Asks the registry that npm is set to. */
export function auditDependencies(rootDir: string): Audit {
  const installed = readAudit(ask(rootDir, "--omit=dev"));
  // To npm what is built in is a tool.
  return installed.is === "unknown"
    ? installed
    : join(installed, readAudit(ask(rootDir), bundledNames));
}

/** Answers what npm prints. */
function ask(rootDir: string, ...options: readonly string[]): string {
  const args = ["audit", ...options, "--json", "--fetch-retries=0"];
  const asked = spawnSync("npm", args, { cwd: rootDir, encoding: "utf8", timeout: auditMsMax });
  return asked.error === undefined
    ? asked.stdout
    : JSON.stringify({ message: asked.error.message });
}

function join(one: Audit, other: Audit): Audit {
  if (other.is !== "found") return other.is === "unknown" ? other : one;
  return { is: "found", holes: [...(one.is === "found" ? one.holes : []), ...other.holes] };
}

/**
 * Reads what `npm audit --json` prints, of all packages or of some. Only a report that counts is a
 * report.
 */
export function readAudit(text: string, names?: readonly string[]): Audit {
  const { vulnerabilities, metadata, message } = objectOf(text);
  if (typeof vulnerabilities !== "object" || vulnerabilities === null || metadata === undefined) {
    // Where registries stand is not for logs.
    const said = typeof message === "string" ? message.replace(/\bhttps?:\/\/[^\s/]+/g, "") : "";
    return { is: "unknown", reason: said === "" ? "no report" : said };
  }
  const found = Object.entries(vulnerabilities) as [string, { severity?: string }][];
  const holes = found
    .filter(([name]) => names?.includes(name) ?? true)
    .map(([name, { severity = "unknown" }]) => `${name}: ${severity}`);
  return holes.length === 0 ? { is: "clean" } : { is: "found", holes };
}

function objectOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
