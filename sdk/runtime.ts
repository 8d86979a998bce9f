import type { Environment } from "./settings.ts";

/** All that the library needs of where it runs. */
export interface Runtime {
  readonly environment: Environment;
  readonly fetch: typeof globalThis.fetch;
  /** Undefined where there are no files. */
  readonly files: Files | undefined;
}

/** The one file that the library keeps. */
export interface Files {
  /** Undefined when there is none, or it is longer than `bytesMax`. */
  read(path: string, bytesMax: number): Promise<string | undefined>;
  /** Readers see the old text or the new one, and nobody but the owner sees any. */
  write(path: string, text: string): Promise<void>;
}
