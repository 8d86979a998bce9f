import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/** What of CycloneDX is of the moment or the machine, and so is written here. */
interface Bill {
  serialNumber?: string;
  metadata: {
    timestamp?: string;
    tools?: unknown;
    component: { name: string };
  };
}

/**
 * What the package brings along, by the lock file: CycloneDX 1.5 as npm makes it, offline. The same
 * lock file gives the same bytes, wherever and whenever.
 * @throws Error with what npm said
 */
export function softwareBill(rootDir: string): string {
  const args = ["sbom", "--sbom-format=cyclonedx", "--sbom-type=library", "--omit=dev"];
  const made = spawnSync("npm", [...args, "--package-lock-only", "--offline"], {
    cwd: rootDir,
    encoding: "utf8",
    env: { ...process.env, npm_config_json: "" },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (made.status !== 0) throw new Error(`npm sbom: ${made.error?.message ?? made.stderr}`);
  const { name } = JSON.parse(readFileSync(join(rootDir, "package.json"), "utf8")) as Named;
  return normalised(made.stdout, name);
}

interface Named {
  readonly name: string;
}

/** npm names the package after its folder, and draws a number and a time. */
export function normalised(text: string, name: string): string {
  const bill = JSON.parse(text) as Bill;
  delete bill.serialNumber;
  delete bill.metadata.timestamp;
  delete bill.metadata.tools;
  bill.metadata.component.name = name;
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(bill))}`;
  return `${JSON.stringify({ ...bill, serialNumber }, null, 2)}\n`;
}

/** Version 8 of RFC 9562, of the content. */
function uuidOf(text: string): string {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
