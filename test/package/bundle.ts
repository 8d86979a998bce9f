import { isBuiltin } from "node:module";
import { join, relative } from "node:path";
import { type Plugin, rolldown } from "rolldown";

export interface Bundle {
  readonly code: string;
  /** Modules of Node that it would ask for, each with the file that does. */
  readonly builtins: readonly string[];
}

/** What a bundler makes of an entry of the package, for a runtime with these export conditions. */
export async function bundle(of: {
  /** Where the package is installed. */
  dir: string;
  entry: string;
  conditions: readonly string[];
}): Promise<Bundle> {
  const builtins: string[] = [];
  const text = `export * from ${JSON.stringify(of.entry)};`;
  const build = await rolldown({
    cwd: of.dir,
    input: "app",
    platform: "neutral",
    resolve: { conditionNames: [...of.conditions], mainFields: ["module", "main"] },
    plugins: [appOf(text, of.dir), builtinsTo(builtins, of.dir)],
    onLog: (_, { message }) => {
      throw new Error(message);
    },
  });
  const { output } = await build.generate({ format: "esm" });
  return { code: output[0].code, builtins };
}

function appOf(text: string, dir: string): Plugin {
  const path = join(dir, "bundled-app.js");
  return {
    name: "app",
    resolveId: (id) => (id === "app" ? path : undefined),
    load: (id) => (id === path ? text : undefined),
  };
}

function builtinsTo(found: string[], dir: string): Plugin {
  return {
    name: "builtins",
    resolveId(id, importer) {
      if (!isBuiltin(id)) return undefined;
      found.push(`${id} by ${relative(join(dir, "node_modules"), importer ?? "")}`);
      return { id, external: true };
    },
  };
}
