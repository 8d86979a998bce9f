import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The top folder of the checkout. */
const rootDir: string = join(import.meta.dirname, "..", "..");

const notOurs = new Set(["node_modules", "dist", "coverage", "data"]);

/** A file of the project: its path from the top folder, with slashes, and its text. */
export interface SourceFile {
  path: string;
  text: string;
}

/** Every text file of the project with one of these endings, generated code included. */
export function sourceFiles(endings: readonly string[]): SourceFile[] {
  return pathsIn("")
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map((path) => ({ path, text: readFileSync(join(rootDir, path), "utf8") }));
}

/** Every path of the project, sorted; without what is installed, built, or begins with a dot. */
export function pathsIn(dir: string): string[] {
  const entries = readdirSync(join(rootDir, dir), { withFileTypes: true });
  return entries
    .filter(({ name }) => !name.startsWith(".") && !(dir === "" && notOurs.has(name)))
    .flatMap((entry) => {
      const path = dir === "" ? entry.name : `${dir}/${entry.name}`;
      return entry.isDirectory() ? pathsIn(path) : [path];
    })
    .sort();
}
