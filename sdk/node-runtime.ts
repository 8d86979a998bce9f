import { nodeFetch } from "./node-fetch.ts";
import { nodeFiles } from "./node-files.ts";
import type { Runtime } from "./runtime.ts";

/** Node, and whatever takes itself for it. */
export const nodeRuntime: Runtime = {
  environment: process.env,
  fetch: nodeFetch,
  files: nodeFiles,
};
