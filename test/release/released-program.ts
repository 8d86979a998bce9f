import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

/** Every version of ours that was published, oldest first. */
export const releases: readonly string[] = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));

/** The program of a release, unpacked so that it runs like an installed one. */
export class ReleasedProgram implements Disposable {
  /** What Node is to run. */
  readonly path: string;
  readonly #directory: string;

  constructor(version: string) {
    this.#directory = mkdtempSync(join(tmpdir(), `headwater-${version}-`));
    const folder = join(this.#directory, "dist");
    this.path = join(folder, "headwater.mjs");
    mkdirSync(folder);
    const packed = readFileSync(join(import.meta.dirname, version, "headwater.mjs.br"));
    writeFileSync(this.path, brotliDecompressSync(packed));
    writeFileSync(join(this.#directory, "package.json"), JSON.stringify({ version }));
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
