import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bundledNames } from "./bundled.ts";

/** What is read of CycloneDX, and what of it is of the moment or the machine. */
interface Bill {
  serialNumber?: string;
  metadata: { timestamp?: string; tools?: unknown; component: Component };
  components: readonly Component[];
  dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

interface Component {
  readonly "bom-ref": string;
  name: string;
  properties?: readonly { readonly name: string }[];
}

/** What is read of package.json. */
interface Manifest {
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/**
 * What the package brings along, installed with it or built into it, by the lock file: CycloneDX 1.5
 * as npm makes it, offline. The same lock file gives the same bytes, wherever and whenever.
 * @throws Error with what npm said
 */
export function softwareBill(rootDir: string): string {
  // With --omit=dev npm leaves out what both the package and a tool need.
  const args = ["sbom", "--sbom-format=cyclonedx", "--sbom-type=library", "--package-lock-only"];
  const made = spawnSync("npm", [...args, "--offline"], {
    cwd: rootDir,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (made.status !== 0) throw new Error(`npm sbom: ${made.error?.message ?? made.stderr}`);
  const manifest = readFileSync(join(rootDir, "package.json"), "utf8");
  return billOf(made.stdout, JSON.parse(manifest) as Manifest);
}

/** Of all that npm has written, what the package needs to run, and nothing of the moment. */
export function billOf(text: string, manifest: Manifest): string {
  const { name } = manifest;
  const bill = JSON.parse(text) as Bill;
  delete bill.serialNumber;
  delete bill.metadata.timestamp;
  delete bill.metadata.tools;
  // npm names the package after its folder.
  bill.metadata.component.name = name;
  const own = bill.metadata.component["bom-ref"];
  const direct = directRefs(manifest);
  const needed = reachable(bill, direct);
  bill.components = bill.components.filter((component) => needed.has(component["bom-ref"]));
  bill.components.forEach(forgetTool);
  bill.dependencies = bill.dependencies
    .filter(({ ref }) => ref === own || needed.has(ref))
    .map((one) => (one.ref === own ? { ...one, dependsOn: direct } : one));
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(bill))}`;
  return `${JSON.stringify({ ...bill, serialNumber }, null, 2)}\n`;
}

/** What is installed with the package, and what is built into it. */
function directRefs({ dependencies, devDependencies }: Manifest): string[] {
  const tools = Object.entries(devDependencies);
  const bundled = tools.filter(([name]) => bundledNames.includes(name));
  return [...Object.entries(dependencies), ...bundled].map(([name, at]) => `${name}@${at}`);
}

/** To npm what is built in is a tool like those that build. */
function forgetTool(component: Component): void {
  if (component.properties === undefined) return;
  component.properties = component.properties.filter(
    ({ name }) => name !== "cdx:npm:package:development",
  );
}

function reachable({ dependencies }: Bill, from: readonly string[]): Set<string> {
  const edges = new Map(dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const found = new Set(from);
  // A set goes on over what is added to it meanwhile.
  for (const ref of found) for (const next of edges.get(ref) ?? []) found.add(next);
  return found;
}

/** Version 8 of RFC 9562, of the content. */
function uuidOf(text: string): string {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
