import type { Runtime } from "./runtime.ts";

/** Browsers and edge runtimes: no environment and no files, all is in the options. */
export const webRuntime: Runtime = {
  environment: {},
  fetch: (input, init) => fetch(input, init),
  files: undefined,
};
