import { parseSync } from "oxc-parser";
import type { SourceFile } from "./source-tree.ts";

/** What a file may hold before it must be divided. */
export const fileLinesMax = 300;

/** A list that is one place, and is looked up line by line, may go on. */
const longLists = new Set(["relay/limits.ts"]);

/** Words that only say "things", and what to write in their place. */
const bannedNames = new Set(
  "base common helper helpers lib manager misc shared stuff types util utils".split(" "),
);

/** Files whose names are fixed by the tools that read them, or by the people who look for them. */
const fixedNames = new Set([
  "LICENSE",
  "README.md",
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "Containerfile",
]);

/** The one entry that gathers exports: what apps import. */
const barrelsAllowed = new Set(["sdk/index.ts"]);

/** Names: kebab-case, and nouns that say something. Folders count as well. */
export function nameProblems(path: string): string[] {
  if (path.startsWith("gen/")) return [];
  return path.split("/").flatMap((part) => {
    if (fixedNames.has(part)) return [];
    const [stem = "", ...rest] = part.split(".");
    if (path.startsWith("proto/") ? !isSnakeCase(stem) : !isKebabCase(stem)) {
      return [`${path}: "${part}" is not kebab-case`];
    }
    const banned = stem.split("-").find((word) => bannedNames.has(word));
    if (banned) return [`${path}: "${banned}" says nothing; name what is in it`];
    const isGathering = stem === "index" && rest.at(-1) === "ts" && !barrelsAllowed.has(path);
    return isGathering ? [`${path}: an index says nothing; name what is in it`] : [];
  });
}

function isKebabCase(stem: string): boolean {
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem);
}

function isSnakeCase(stem: string): boolean {
  return /^[a-z0-9]+(_[a-z0-9]+)*$/.test(stem);
}

/** Length, leftovers and barrels. */
export function contentProblems({ path, text }: SourceFile): string[] {
  const linesCount = text.replace(/\n$/, "").split("\n").length;
  const problems: string[] = [];
  if (linesCount > fileLinesMax && !longLists.has(path)) {
    problems.push(`${path}: ${linesCount} lines, more than ${fileLinesMax}: divide it`);
  }
  text.split("\n").forEach((line, index) => {
    const leftover = leftoverIn(line);
    if (leftover) problems.push(`${path}:${index + 1}: a leftover ${leftover}`);
  });
  if (isBarrel({ path, text })) problems.push(`${path}: a barrel; import from where a thing is`);
  return problems;
}

/** Built from parts, so that this file does not hold what it looks for. */
const leftovers: ReadonlyArray<[string, RegExp]> = [
  ["marker", new RegExp(`\\b(${"FIX"}ME|${"X".repeat(3)})\\b`)],
  ["stop for the debugger", new RegExp(`^\\s*${"debug"}ger;`)],
  ["conflict", /^(<{7}|>{7}) /],
  ["test that runs alone", new RegExp(`\\b(test|it|describe|suite)\\b.*\\.${"on"}ly\\b[(.]`)],
];

function leftoverIn(line: string): string | undefined {
  return leftovers.find(([, pattern]) => pattern.test(line))?.[0];
}

/** A file that only passes on what others export, or passes on all of one. */
function isBarrel({ path, text }: SourceFile): boolean {
  if (!/\.m?ts$/.test(path) || barrelsAllowed.has(path)) return false;
  const { module, program } = parseSync(path, text);
  const passedOn = module.staticExports.filter(({ entries }) =>
    entries.some(({ moduleRequest }) => moduleRequest !== null),
  );
  const isWhole = passedOn.some(({ entries }) =>
    entries.some(({ importName }) => importName.kind.startsWith("All")),
  );
  return isWhole || (passedOn.length > 0 && passedOn.length === program.body.length);
}

/** A document has one title, on its first line. */
export function titleProblems({ path, text }: SourceFile): string[] {
  const prose = text.replace(/^(```|~~~)[^]*?^\1/gm, "");
  const titles = prose.split("\n").filter((line) => line.startsWith("# "));
  if (titles.length !== 1) return [`${path}: ${titles.length} titles ("# …"), not one`];
  return prose.startsWith("# ") ? [] : [`${path}: the title is not on the first line`];
}

/** A package manifest names exact versions, so that everyone gets what was tried. */
export function versionProblems({ path, text }: SourceFile): string[] {
  const manifest = JSON.parse(text) as Record<string, Record<string, string> | undefined>;
  const kinds = ["dependencies", "devDependencies", "optionalDependencies"];
  return kinds
    .flatMap((kind) => Object.entries(manifest[kind] ?? {}))
    .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
    .map(([name, version]) => `${path}: ${name} ${version} is not an exact version`);
}

/** The lock file holds what a registry must deliver, not where one of them is. */
export function lockProblems({ path, text }: SourceFile): string[] {
  const lock = JSON.parse(text) as { packages: Record<string, LockedPackage> };
  return Object.entries(lock.packages).flatMap(([name, locked]) => {
    if (/^https?:/.test(locked.resolved ?? "")) return [`${path}: ${name} names a registry`];
    const isOurs = !name.includes("node_modules/") || locked.link === true;
    return isOurs || locked.integrity ? [] : [`${path}: ${name} has no integrity`];
  });
}

interface LockedPackage {
  resolved?: string;
  integrity?: string;
  link?: boolean;
}

/** Folders of `test/` that mirror a folder of the sources. */
const mirrored = ["relay", "nodes", "sdk", "scripts"];

/** A test lies where its source lies: `test/relay/flag/bucket.test.ts` in `relay/flag/`. */
export function mirrorProblems(path: string, paths: readonly string[]): string[] {
  const [top, ...rest] = path.split("/");
  if (top !== "test" || !path.endsWith(".test.ts") || !mirrored.includes(rest[0] ?? "")) return [];
  const folder = `${rest.slice(0, -1).join("/")}/`;
  const isThere = paths.some((other) => other.startsWith(folder));
  return isThere ? [] : [`${path}: there is no ${folder} whose test it could be`];
}
