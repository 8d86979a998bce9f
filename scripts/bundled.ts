import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Libraries that are built into files of the package, so that nobody has to install them. As they
 * are passed on, what holds for dependencies holds for them: licence, software bill, known holes.
 */
export const bundledNames: readonly string[] = ["@connectrpc/connect-node", "preact"];

/** What is read of a library's package.json. */
interface Manifest {
  readonly version: string;
  readonly license: string;
}

/** What their licences want to be passed on with them. */
export function bundledLicences(rootDir: string): string {
  return bundledNames
    .map((name) => licenceOf(join(rootDir, "node_modules", name), name))
    .join("\n");
}

function licenceOf(dir: string, name: string): string {
  const manifest = readFileSync(join(dir, "package.json"), "utf8");
  const { version, license } = JSON.parse(manifest) as Manifest;
  const file = join(dir, "LICENSE");
  // Who packs no text is under the licence whose text the package has for itself.
  if (!existsSync(file) && license !== "Apache-2.0") throw new Error(`${name} has no licence text`);
  const text = existsSync(file) ? `\n${readFileSync(file, "utf8")}` : "Its text: ../LICENSE\n";
  return `${name} ${version}, under ${license}. ${text}`;
}
