import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
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

/** By the file that they write; whatever comes of them. A file that hangs holds up no other. */
const lastWrites = new Map<string, Promise<void>>();

/** After the one before, as two clients of a process may have one file, and so one new file beside it. */
function write(path: string, text: string): Promise<void> {
  const file = resolve(path);
  const written = (lastWrites.get(file) ?? Promise.resolve()).then(() => replace(file, text));
  const ended = written
    .catch(() => {})
    .then(() => {
      if (lastWrites.get(file) === ended) lastWrites.delete(file);
    });
  lastWrites.set(file, ended);
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
