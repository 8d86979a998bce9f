import process from "node:process";
import { runCommandLine } from "./program.ts";
import { openTerminal } from "./terminal.ts";

// Whoever reads our answer may have heard enough: `headwater flag list … | head`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), openTerminal());
