import { runCommandLine } from "../../../nodes/cli/program.ts";
import type { Terminal } from "../../../nodes/cli/terminal.ts";
import type { Texts } from "../../../nodes/config/settings.ts";

/** What a command line did. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A terminal that a test writes to and reads from. It paints as `<red:text>` when asked to. */
export class FakeTerminal implements Terminal {
  env: Texts;
  readonly hostName = "workstation";
  readonly actor = "ada@workstation";
  isInteractive = false;
  columnsCount = 80;
  isColored = false;
  /** What is answered to every question, and what was asked. */
  consent = false;
  readonly questions: string[] = [];
  input = "";
  readonly interruption: AbortController = new AbortController();
  /** Aborted by a test when whoever read it has left. */
  readonly leaving: AbortController = new AbortController();
  readonly printed: string[] = [];
  readonly noted: string[] = [];

  constructor(env: Texts) {
    this.env = env;
  }

  wallMs(): number {
    return Date.UTC(2026, 2, 1, 12);
  }

  print(lines: string): void {
    this.printed.push(lines);
  }

  note(lines: string): void {
    this.noted.push(lines);
  }

  paint(color: string, text: string): string {
    return this.isColored ? `<${color}:${text}>` : text;
  }

  async confirm(question: string): Promise<boolean> {
    this.questions.push(question);
    return this.consent;
  }

  async readInput(): Promise<string> {
    return this.input;
  }

  hush(): void {}

  untilInterrupted(): AbortSignal {
    return this.interruption.signal;
  }

  untilUnread(): AbortSignal {
    return this.leaving.signal;
  }

  /** Runs a command line; what it printed since the last one. */
  async run(...args: string[]): Promise<Ran> {
    const code = await runCommandLine(args, this);
    const stdout = this.printed.splice(0).join("\n");
    return { code, stdout, stderr: this.noted.splice(0).join("\n") };
  }

  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse((await this.run(...args, "--json")).stdout) as T;
  }
}
