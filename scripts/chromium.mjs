// Finds a real Chromium, or unpacks one with all its libraries from the distribution's packages.
import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { unpackDebianPackage } from "./debian-package.mjs";
import { isExecutable, runStep } from "./step.mjs";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const macPath = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";

/** 400 MB, so one for all checkouts of a user. */
const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "headwater");
const unpackedDir = join(cacheDir, "chromium");
const unpackedPath = join(unpackedDir, "usr", "lib", "chromium", "chromium");

/** Without a font no text has a height, and without a last resort the first that is found is taken. */
const fontsFile = join(unpackedDir, "fonts.conf");
const fonts = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>${unpackedDir}/usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <match target="pattern">
    <edit name="family" mode="append_last"><string>DejaVu Sans</string></edit>
  </match>
</fontconfig>
`;

/** A Chromium and the environment it needs: from the PATH, or unpacked before. */
export function findChromium() {
  const dirs = (process.env.PATH ?? "").split(delimiter).filter((dir) => dir !== "");
  const paths = [...dirs.flatMap((dir) => names.map((name) => join(dir, name))), macPath];
  const path = paths.find(isExecutable);
  return path === undefined ? unpackedChromium() : { path, env: {} };
}

/** Finds or unpacks a Chromium; where that cannot be, says why. */
export function installChromium() {
  try {
    return findOrUnpack();
  } catch (error) {
    // The folder can not be written, or the disk is full.
    return { reason: error.message };
  }
}

function findOrUnpack() {
  if (isExecutable(unpackedPath)) writeFonts();
  const found = findChromium();
  if (found !== undefined) return found;
  if (process.platform !== "linux") return { reason: "put chromium on the PATH" };
  const reason = isExecutable(unpackedPath) ? undefined : unpack();
  if (reason !== undefined) return { reason };
  writeFonts();
  const unpacked = unpackedChromium();
  const env = { ...process.env, ...unpacked.env };
  const problem = runStep(unpacked.path, ["--version"], { env });
  return problem === undefined ? unpacked : { reason: problem };
}

/** Whole or absent: it is looked for to see whether all is there. */
function writeFonts() {
  const draft = `${fontsFile}.${process.pid}`;
  writeFileSync(draft, fonts);
  renameSync(draft, fontsFile);
}

function unpack() {
  const into = unpackedDir;
  const reason = unpackDebianPackage({ name: "chromium", into, withDependencies: true });
  if (reason !== undefined || isExecutable(unpackedPath)) return reason;
  return "the package holds no usr/lib/chromium/chromium";
}

/** Started past its script, which looks for its parts where a package is installed. */
function unpackedChromium() {
  if (!isExecutable(unpackedPath) || !existsSync(fontsFile)) return undefined;
  const libraries = libraryDirs().join(delimiter);
  return {
    path: unpackedPath,
    env: { LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: fontsFile },
  };
}

/** Those of the machine's architecture, and one level below: a sound library keeps parts there. */
function libraryDirs() {
  return [join(unpackedDir, "usr", "lib"), join(unpackedDir, "lib")]
    .flatMap(subfolders)
    .filter((dir) => dir.endsWith("-linux-gnu"))
    .flatMap((dir) => [dir, ...subfolders(dir)]);
}

function subfolders(dir) {
  if (!existsSync(dir)) return [];
  const entries = readdirSync(dir, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(dir, name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { path, reason } = installChromium();
  if (path === undefined) process.stderr.write(`no chromium: ${reason}\n`);
  else process.stdout.write(`${path}\n`);
  process.exitCode = path === undefined ? 1 : 0;
}
