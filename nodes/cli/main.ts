import process from "node:process";
import { type ExitCode, exitCode } from "./exit-code.ts";
import { runCommandLine } from "./program.ts";
import { openTerminal } from "./terminal.ts";

/** Time for whatever is still to be written. */
const lingerMs = 1_000;

let lost: ExitCode | undefined;

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // Whoever reads our answer may have heard enough: `headwater flag list … | head`.
  if (error.code === "EPIPE" || lost !== undefined) return;
  process.stderr.write(
    `error: cannot write the answer: ${error.message}\n` +
      "  hint: What was asked for may have been done. Make room, or write the answer elsewhere.\n",
  );
  process.exitCode = lost = exitCode.refused;
});
// What can not be said is no reason to stop, nor to end otherwise: `headwater gate … 2>&1 | head`.
process.stderr.on("error", () => undefined);

const code = await runCommandLine(process.argv.slice(2), openTerminal());
process.exitCode = lost ?? code;
// Ending by itself, Node gives signals back what they do by default, and then takes itself apart: whoever
// is told to stop a second time meanwhile, as by a launcher, would be killed.
process.once("beforeExit", () => process.exit());
// A dial that nobody answers can not be called off (grpc-js), and would keep a node for two minutes.
setTimeout(() => {
  if (process.stdout.writableLength === 0) process.exit();
}, lingerMs).unref();
