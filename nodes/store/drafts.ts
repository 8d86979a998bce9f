import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** No operator would call a directory so. */
const draftPrefix = ".backup-draft-";

/** A directory for a copy that is being made, in the data directory: the disk that has room for it. */
export function makeDraft(directory: string): string {
  return mkdtempSync(join(directory, draftPrefix));
}

/** Takes away the copies, with all keys, that a node left when it was killed; it must not run now. */
export function removeDrafts(directory: string): void {
  for (const name of readdirSync(directory))
    if (name.startsWith(draftPrefix)) rmSync(join(directory, name), { recursive: true });
}
