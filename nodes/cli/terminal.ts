import { hostname, userInfo } from "node:os";
import process from "node:process";
import { text } from "node:stream/consumers";
import { isatty } from "node:tty";
import { styleText } from "node:util";
import { environment } from "../config/environment.ts";
import type { Texts } from "../config/settings.ts";
import { printable } from "./printable.ts";
import { Progress } from "./progress.ts";
import { askYesOrNo } from "./question.ts";

/** What a command sees of the world around it. */
export interface Terminal {
  readonly env: Texts;
  readonly hostName: string;
  /** Who runs the command, for the audit: `user@host`. */
  readonly actor: string;
  /** Whether there is somebody to ask. */
  readonly isInteractive: boolean;
  readonly columnsCount: number;
  wallMs(): number;
  /** One line, or several, of the answer. */
  print(lines: string): void;
  /** One line, or several, beside the answer: what went wrong, what to do next. */
  note(lines: string): void;
  /** For printed text; does nothing where colours are not wanted. */
  paint(color: Color, text: string): string;
  confirm(question: string): Promise<boolean>;
  readInput(): Promise<string>;
  /** From now on silence is what the command is for, and not shown as work. */
  hush(): void;
  /**
   * Aborted at the first interrupt or SIGHUP; a second interrupt ends the process. Whoever hears SIGHUP
   * out goes on after one that comes while the terminal is there, or without any.
   */
  untilInterrupted(hungUp?: () => void): AbortSignal;
  /** Aborted once something was printed that nobody reads any more. */
  untilUnread(): AbortSignal;
}

export type Color = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** The terminal, or the pipes, that this process was started with. */
export function openTerminal(): Terminal {
  const progress = new Progress(process.stderr);
  progress.start();
  return {
    env: environment,
    hostName: hostname(),
    actor: `${userName()}@${hostname()}`,
    isInteractive: process.stdin.isTTY && process.stderr.isTTY,
    columnsCount: process.stdout.columns ?? defaultColumnsCount,
    wallMs: () => Date.now(),
    print: (lines) => {
      progress.clear();
      process.stdout.write(`${printable(lines)}\n`);
    },
    note: (lines) => {
      progress.clear();
      process.stderr.write(`${printable(lines)}\n`);
    },
    paint: (color, line) => styleText(color, line, { stream: process.stdout }),
    confirm: async (question) => {
      progress.stop();
      // On stderr, so that stdout stays the answer.
      const streams = { input: process.stdin, output: process.stderr };
      const answer = await askYesOrNo(question, streams);
      progress.start();
      return answer;
    },
    readInput: async () => {
      progress.stop();
      return text(process.stdin);
    },
    hush: () => progress.stop(),
    untilInterrupted,
    untilUnread: () => {
      const leaving = new AbortController();
      process.stdout.once("error", () => leaving.abort());
      return leaving.signal;
    },
  };
}

/** What a pipe is taken to be: the width of the first terminals. */
const defaultColumnsCount = 80;

/** A container may run as a user that has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}

/** Who tells a whole process group tells the launcher as well, which passes it on: that is no haste. */
const sameWishMs = 1_000;

function untilInterrupted(hungUp: (() => void) | undefined): AbortSignal {
  const interruption = new AbortController();
  const signals = ["SIGINT", "SIGTERM"] as const;
  const letGo = (): void => {
    for (const signal of signals) process.off(signal, interrupt);
  };
  const interrupt = (): void => {
    if (!interruption.signal.aborted) setTimeout(letGo, sameWishMs).unref();
    interruption.abort();
  };
  for (const signal of signals) process.on(signal, interrupt);
  const hadTerminal = hasTerminal();
  const hangUp = (): void => {
    if (hungUp === undefined || (hadTerminal && !hasTerminal())) interrupt();
    else hungUp();
  };
  // It would end the process at once otherwise, with nohup too: Node does not inherit what is ignored.
  process.on("SIGHUP", hangUp);
  return interruption.signal;
}

/** One that is closed is none any more. */
function hasTerminal(): boolean {
  return [0, 1, 2].some(isatty);
}
