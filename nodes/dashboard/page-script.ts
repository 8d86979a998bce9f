import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where the package has the script, beside this file. */
const builtFile = join(import.meta.dirname, "page.js");

let made: Promise<string> | undefined;

/** The page's script in one piece: as it was built, or in a checkout made at the first request. */
export function pageScript(): Promise<string> {
  made ??= existsSync(builtFile)
    ? Promise.resolve(readFileSync(builtFile, "utf8"))
    : bundledPage(join(import.meta.dirname, "page", "main.tsx"));
  return made;
}

/** One ES module of an entry and all that it imports. The bundler is there in a checkout only. */
export async function bundledPage(entry: string): Promise<string> {
  const { rolldown } = await import("rolldown");
  // How JSX is meant stands in the tsconfig.json beside the entry.
  const bundle = await rolldown({ input: entry, platform: "browser" });
  try {
    const { output } = await bundle.generate({ format: "esm", minify: true });
    return output[0].code;
  } finally {
    await bundle.close();
  }
}
