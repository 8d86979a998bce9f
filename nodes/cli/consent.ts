import { HeadwaterError } from "../error.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Whether it may be done: `--yes` was given, or somebody says so.
 * @throws HeadwaterError `invalid` when there is nobody to ask
 */
export async function agreed(
  terminal: Terminal,
  of: { yes: boolean | undefined; question: string },
): Promise<boolean> {
  if (of.yes) return true;
  if (!terminal.isInteractive)
    throw new HeadwaterError({
      kind: "invalid",
      message: "there is no terminal to ask on, and nothing was changed",
      hint: "Give --yes to do it without asking.",
    });
  const isAgreed = await terminal.confirm(of.question);
  if (!isAgreed) terminal.note("nothing was changed");
  return isAgreed;
}
