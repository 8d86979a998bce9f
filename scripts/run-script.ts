import process from "node:process";
import { HeadwaterError } from "../nodes/error.ts";

/** Runs a command of the project and ends with its exit code; what goes wrong is said in a line. */
export async function runScript(name: string, run: () => Promise<number>): Promise<never> {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(1));
  try {
    process.exitCode = await run();
  } catch (thrown) {
    const { message, hint } = HeadwaterError.from(thrown);
    process.stderr.write(`${name}: ${message}\n${hint === undefined ? "" : `  hint: ${hint}\n`}`);
    process.exitCode = 1;
  }
  process.exit();
}
