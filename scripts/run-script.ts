import process from "node:process";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { HeadwaterError } from "../nodes/error.ts";

/** What was typed after the command's name. What nobody knows ends it, with the line that says so. */
export function readOptions<const T extends ParseArgsConfig>(
  name: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (thrown) {
    const { message } = HeadwaterError.from(thrown);
    return failed(name, new HeadwaterError({ kind: "invalid", message, hint: helpOf(name) }));
  }
}

/** Where a command tells what may be typed after it. */
export function helpOf(name: string): string {
  return `npm run ${name} -- --help`;
}

/**
 * Runs a command of the project and ends with its exit code; what goes wrong is said in a line. A
 * signal ends it as well, so that what it has started and made is undone.
 */
export async function runScript(name: string, run: () => Promise<number>): Promise<never> {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => process.exit(1));
  try {
    process.exitCode = await run();
  } catch (thrown) {
    return failed(name, HeadwaterError.from(thrown));
  }
  process.exit();
}

function failed(name: string, { message, hint }: HeadwaterError): never {
  process.stderr.write(`${name}: ${message}\n${hint === undefined ? "" : `  hint: ${hint}\n`}`);
  process.exit(1);
}
