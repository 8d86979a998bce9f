import { nodeFetch } from "./node-fetch.ts";
import { nodeFiles } from "./node-files.ts";
import type { Runtime } from "./runtime.ts";

/** Node, and whatever takes itself for it. */
export const nodeRuntime: Runtime = {
  // oxlint-disable-next-line node/no-process-env: the one place where the library reads it
  environment: process.env,
  fetch: nodeFetch,
  files: nodeFiles,
};
