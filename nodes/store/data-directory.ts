import { accessSync, constants, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { HeadwaterError } from "../error.ts";
import { syncDirectory } from "../sync-directory.ts";
import { pathError } from "./path-error.ts";

/**
 * Makes a data directory that only its owner can enter, or checks that one can be used.
 * @throws HeadwaterError with what to do
 */
export function prepareDataDirectory(directory: string): void {
  try {
    const made = mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (made !== undefined) syncDirectory(dirname(made));
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw dataDirectoryError(error, directory);
  }
}

export function dataDirectoryError(error: unknown, directory: string): HeadwaterError {
  return pathError({
    error,
    path: directory,
    elsewhere: "choose another directory with HEADWATER_DATA_DIR",
  });
}
