import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Beside the sources in a checkout, one folder further up in the package. */
function manifest(): { version: string } {
  try {
    return require("../package.json") as { version: string };
  } catch {
    return require("../../package.json") as { version: string };
  }
}

/** Name and version, as status and `--version` show them. */
export const software: string = `headwater ${manifest().version}`;
