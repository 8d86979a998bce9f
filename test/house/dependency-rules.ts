import { bundledNames } from "../../scripts/bundled.ts";
import { admits } from "./node-range.ts";
import type { SourceFile } from "./source-tree.ts";

/** A package as the lock file has it. */
interface LockedPackage {
  readonly license?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly engines?: { readonly node?: string };
}

/** With these a program may be passed on in every form; what is ours says so under Apache-2.0. */
const permissive = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "ISC",
  "MIT",
  "Unlicense",
]);

/** Of tools that are run here and never passed on; their own files stay under it. */
const forTools = new Set([...permissive, "MPL-2.0"]);

/** Tools whose manifests name no licence; their repositories have Apache-2.0. */
const unnamed = new Set(["@openfeature/ofrep-core", "@openfeature/ofrep-provider"]);

/** Whose code would run while it is installed; `allowScripts` in package.json keeps it from that. */
const scriptsRefused = new Set(["@bufbuild/buf", "protobufjs"]);

/** What of the dependencies is not as it must be, a line each. */
export function dependencyProblems({ path, text }: SourceFile): string[] {
  const { packages } = JSON.parse(text) as { packages: Record<string, LockedPackage> };
  const least = leastNode(packages[""]);
  return Object.entries(packages).flatMap(([place, locked]) => {
    const name = place.split("node_modules/").at(-1) ?? "";
    if (!place.includes("node_modules/") || locked.link === true) return [];
    return [
      ...licenceProblems(name, locked),
      ...(locked.integrity?.startsWith("sha512-") ? [] : [`${name} is not locked by SHA-512`]),
      ...(locked.hasInstallScript === true && !scriptsRefused.has(name)
        ? [`${name} runs a script when it is installed`]
        : []),
      ...(isTool(locked) ? [] : engineProblems(name, locked, least)),
    ].map((problem) => `${path}: ${problem}`);
  });
}

/** The first Node that a package says it is for; undefined for what is never published. */
function leastNode(root: LockedPackage | undefined): number | undefined {
  if (root?.engines === undefined) return undefined;
  return Number(/^>=(\d+)$/.exec(root.engines.node ?? "")?.[1]);
}

function engineProblems(name: string, { engines }: LockedPackage, least?: number): string[] {
  if (least === undefined || engines?.node === undefined) return [];
  if (admits(engines.node, least)) return [];
  return [`${name} is for Node ${engines.node}, and the package for ${least} too`];
}

/** Whether nobody who installs the package gets it. */
function isTool({ dev, devOptional }: LockedPackage): boolean {
  return dev === true || devOptional === true;
}

function licenceProblems(name: string, locked: LockedPackage): string[] {
  const { license } = locked;
  const isPassedOn = !isTool(locked) || bundledNames.includes(name);
  if (license === undefined)
    return !isPassedOn && unnamed.has(name) ? [] : [`${name} has no licence`];
  const allowed = isPassedOn ? permissive : forTools;
  return isAllowed(license, allowed) ? [] : [`${name} is under ${license}`];
}

/** SPDX expressions of one level: all parts of an AND, one of an OR. */
function isAllowed(expression: string, allowed: ReadonlySet<string>): boolean {
  const plain = expression.replace(/[()]/g, "");
  const parts = plain.split(" AND ");
  return parts.every((part) => part.split(" OR ").some((one) => allowed.has(one.trim())));
}
