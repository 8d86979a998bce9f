// What a release leaves behind for all later ones to be tried against: its wire, and its whole
// program in one file. Run it once, on the commit that is published; what is there is never changed.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { brotliCompressSync, constants } from "node:zlib";
import { rolldown } from "rolldown";

const rootDir = join(import.meta.dirname, "..");
const manifest = readFileSync(join(rootDir, "package.json"), "utf8");
const { version } = JSON.parse(manifest) as { version: string };
const wire = join(rootDir, "test", "wire", `${version}.binpb`);
const program = join(rootDir, "test", "release", version, "headwater.mjs.br");

if (existsSync(program)) fail(`${program} is there already: raise the version in package.json`);
if (!existsSync(wire)) keepWire();
await keepProgram();
process.stdout.write(`kept ${version}: commit ${wire} and ${program}\n`);

function keepWire(): void {
  const buf = join(rootDir, "node_modules", ".bin", "buf");
  const { status } = spawnSync(buf, ["build", "-o", wire], { cwd: rootDir, stdio: "inherit" });
  if (status !== 0) fail("buf could not build the wire");
}

async function keepProgram(): Promise<void> {
  const build = await rolldown({
    input: join(rootDir, "nodes", "cli", "main.ts"),
    platform: "node",
  });
  const { output } = await build.generate({ format: "esm", minify: true, codeSplitting: false });
  const [chunk, ...others] = output;
  if (others.length > 0) fail("the program is more than one file");
  const params = { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS };
  mkdirSync(join(program, ".."), { recursive: true });
  writeFileSync(program, brotliCompressSync(chunk.code, { params }));
}

function fail(why: string): never {
  process.stderr.write(`keep-release: ${why}\n`);
  process.exit(1);
}
