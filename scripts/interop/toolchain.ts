import { execFile } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";

/** How the program of a language is started, once all that it needs is installed. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

/** Why a language is left out: its toolchain or its registry is not to be had here. */
export class NotToBeHad extends Error {}

/** A language whose published provider is tried against a node. */
export interface Toolchain {
  readonly language: string;
  /** Whether its provider, in process, has another version of the bucketing rule than ours. */
  readonly bucketsOtherwise: boolean;
  /** @throws NotToBeHad */
  install(): Promise<Command>;
}

const programs = resolve(import.meta.dirname, "../../test/interop");
const cache = resolve(import.meta.dirname, "../../node_modules/.cache/interop");

/** The published provider comes with the development dependencies. */
export const typescript: Toolchain = {
  language: "typescript",
  bucketsOtherwise: false,
  install: async () => ({
    file: process.execPath,
    args: [join(programs, "typescript/share.ts")],
  }),
};

export const python: Toolchain = {
  language: "python",
  bucketsOtherwise: true,
  install: () => pythonProgram("share.py"),
};

/** @throws NotToBeHad */
export async function pythonProgram(name: string): Promise<Command> {
  const dir = cacheOf("python");
  await run("python3", ["-m", "venv", dir]);
  const requirements = join(programs, "python/requirements.txt");
  const pip = ["-m", "pip", "install", "--quiet", "--requirement", requirements];
  await run(join(dir, "bin/python"), pip);
  return { file: join(dir, "bin/python"), args: [join(programs, "python", name)] };
}

/** Where the module proxy does not have the provider, this names a directory with its source. */
const goProviderVariable = "INTEROP_GO_PROVIDER";

export const go: Toolchain = {
  language: "go",
  bucketsOtherwise: false,
  install: async () => {
    const dir = cacheOf("go");
    rmSync(dir, { recursive: true });
    cpSync(join(programs, "go"), dir, { recursive: true });
    const source = process.env[goProviderVariable];
    if (source !== undefined) {
      const provider = "github.com/open-feature/go-sdk-contrib/providers/flagd";
      writeFileSync(
        join(dir, "go.work"),
        `go 1.25.0\n\nuse .\n\nreplace ${provider} => ${source}\n`,
      );
      await run("go", ["work", "sync"], dir);
    }
    const program = join(dir, "share");
    const mode = source === undefined ? ["-mod=mod"] : [];
    await run("go", ["build", ...mode, "-o", program, "."], dir);
    return { file: program, args: [] };
  },
};

export const java: Toolchain = {
  language: "java",
  bucketsOtherwise: true,
  install: async () => {
    await run("java", ["-version"]);
    const libraries = join(cacheOf("java"), "libraries");
    const copy = ["dependency:copy-dependencies", `-DoutputDirectory=${libraries}`];
    await run("mvn", ["-q", "-B", ...copy], join(programs, "java"));
    const source = join(programs, "java/share.java");
    return { file: "java", args: ["-cp", join(libraries, "*"), source] };
  },
};

function cacheOf(language: string): string {
  const dir = join(cache, language);
  mkdirSync(dir, { recursive: true });
  return dir;
}

const installMsMax = 10 * 60_000;
const reasonLengthMax = 400;

function run(file: string, args: readonly string[], cwd: string = cache): Promise<void> {
  return new Promise((done, reject) => {
    execFile(file, [...args], { cwd, timeout: installMsMax }, (error, stdout, stderr) => {
      if (error === null) return done();
      const said = `${stderr}${stdout}`.trim().slice(-reasonLengthMax) || error.message;
      reject(new NotToBeHad(`${file} ${args.join(" ")}: ${said}`));
    });
  });
}
