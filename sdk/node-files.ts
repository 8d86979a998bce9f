import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Files } from "./runtime.ts";

/** Files by way of Node. */
export const nodeFiles: Files = { read, write };

async function read(path: string, bytesMax: number): Promise<string | undefined> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    return size > bytesMax ? undefined : await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

/** Whatever comes of it. */
let lastWrite: Promise<void> = Promise.resolve();

/** After the one before, as two clients of a process may have one file, and so one new file beside it. */
function write(path: string, text: string): Promise<void> {
  const written = lastWrite.then(() => replace(path, text));
  lastWrite = written.catch(() => {});
  return written;
}

/** By a new file beside it, which takes its place when its bytes are safe. */
async function replace(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const newPath = `${path}.${process.pid}.new`;
  // What lies there is left over from a crash, or a trap: neither is written through.
  await rm(newPath, { force: true });
  try {
    await writeSafely(newPath, text);
    await rename(newPath, path);
  } catch (error) {
    await rm(newPath, { force: true });
    throw error;
  }
}

async function writeSafely(newPath: string, text: string): Promise<void> {
  const file = await open(newPath, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
