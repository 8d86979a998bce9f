/** What to start, and what its environment has to say besides. */
export interface Chromium {
  path: string;
  env: Record<string, string>;
}

/** A Chromium and the environment it needs: from the PATH, or unpacked before. */
export declare function findChromium(): Chromium | undefined;
