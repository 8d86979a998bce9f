import process from "node:process";
import { styleText } from "node:util";

const { stdout } = process;

/** Commands write to a pipe here, so they have to be told that a person reads along. */
export const colorEnv: Readonly<Record<string, string>> =
  stdout.isTTY && stdout.hasColors() ? { FORCE_COLOR: "1" } : {};

/** What takes longer than this is said to be under way. */
const patienceMs = 1_000;

/** What the tour says, as it happens. */
export const say = {
  title(text: string): void {
    stdout.write(`\n${styleText("bold", text, { stream: stdout })}\n`);
  },
  line(text: string): void {
    stdout.write(`  ${text}\n`);
  },
  /** A command that is typed, and at which node. */
  command(node: string, args: readonly string[]): void {
    const typed = ["headwater", ...args.map(quoted)].join(" ");
    const where = styleText("dim", `${node} $`, { stream: stdout });
    stdout.write(`  ${where} ${styleText("cyan", typed, { stream: stdout })}\n`);
  },
  /** Output of a command, indented; of each paragraph at most so many lines. */
  block(text: string, linesMax: number = 10): void {
    for (const [i, paragraph] of text
      .trim()
      .split(/\n\s*\n/)
      .entries()) {
      if (i > 0) stdout.write("\n");
      const lines = paragraph.split("\n");
      for (const line of lines.slice(0, linesMax)) stdout.write(`    ${line}\n`);
      if (lines.length > linesMax) stdout.write(`    … ${lines.length - linesMax} more\n`);
    }
  },
  /** How far something long has come. */
  progress(of: { done: number; all: number; what: string }): void {
    const { done, all, what } = of;
    if (stdout.isTTY) overwrite(done === all ? "" : `${done} of ${all} ${what}`);
    else if (done !== all && done % 25 === 0) this.line(`${done} of ${all} ${what}`);
  },
  /** Waits, and says for what when that takes its time. */
  async during<T>(what: string, work: Promise<T>): Promise<T> {
    let passed = 0;
    const timer = setInterval(() => {
      passed++;
      if (stdout.isTTY) overwrite(`${what}, ${(passed * patienceMs) / 1_000} s`);
      else if (passed === 1) this.line(`${what} …`);
    }, patienceMs);
    try {
      return await work;
    } finally {
      clearInterval(timer);
      if (stdout.isTTY && passed > 0) overwrite("");
    }
  },
} as const;

/** Milliseconds, for people. */
export function msText(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** Takes the place of the line that is being written; the next one takes its place again. */
function overwrite(text: string): void {
  stdout.write(`\r\u001b[K${text === "" ? "" : `  ${text}`}`);
}

function quoted(word: string): string {
  return /^[\w%./:=-]+$/.test(word) ? word : `'${word}'`;
}
