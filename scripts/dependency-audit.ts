import { spawnSync } from "node:child_process";

/** What came of asking the registry about known holes in what the package brings along. */
export type Audit =
  | { readonly is: "clean" }
  | { readonly is: "found"; readonly holes: readonly string[] }
  /** The registry could not be asked, or does not know. */
  | { readonly is: "unknown"; readonly reason: string };

const auditMsMax = 90_000;

/** Asks the registry that npm is set to. */
export function auditDependencies(rootDir: string): Audit {
  const args = ["audit", "--omit=dev", "--json", "--fetch-retries=0"];
  const asked = spawnSync("npm", args, { cwd: rootDir, encoding: "utf8", timeout: auditMsMax });
  return asked.error === undefined
    ? readAudit(asked.stdout)
    : { is: "unknown", reason: asked.error.message };
}

/** Reads what `npm audit --json` prints. Only a report that counts is a report. */
export function readAudit(text: string): Audit {
  const { vulnerabilities, metadata, message } = objectOf(text);
  if (typeof vulnerabilities !== "object" || vulnerabilities === null || metadata === undefined) {
    // Where registries stand is not for logs.
    const said = typeof message === "string" ? message.replace(/\bhttps?:\/\/[^\s/]+/g, "") : "";
    return { is: "unknown", reason: said === "" ? "no report" : said };
  }
  const holes = Object.entries(vulnerabilities).map(
    ([name, { severity = "unknown" }]: [string, { severity?: string }]) => `${name}: ${severity}`,
  );
  return holes.length === 0 ? { is: "clean" } : { is: "found", holes };
}

function objectOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
