import type { WriteStream } from "node:tty";

/** Whoever waits for longer than this wants to know that something happens. */
const patienceMs = 1_000;
const frameMs = 100;
const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/**
 * A line on a terminal while a command is silent: shown after a second, gone before anything is
 * printed. It keeps no process alive.
 */
export class Progress {
  readonly #stream: WriteStream;
  #timer: NodeJS.Timeout | undefined;
  #silentSinceMs = 0;
  #isShown = false;

  constructor(stream: WriteStream) {
    this.#stream = stream;
  }

  start(): void {
    this.#silentSinceMs = performance.now();
    if (!this.#stream.isTTY || this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#draw(), frameMs).unref();
  }

  /** Before something is printed. */
  clear(): void {
    this.#silentSinceMs = performance.now();
    if (!this.#isShown) return;
    this.#stream.write("\r\x1b[K");
    this.#isShown = false;
  }

  /** While somebody is asked, and where silence is what a command is for. */
  stop(): void {
    this.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #draw(): void {
    const silentMs = performance.now() - this.#silentSinceMs;
    if (silentMs < patienceMs) return;
    const frame = frames[Math.floor(silentMs / frameMs) % frames.length];
    this.#stream.write(`\r${frame} working, ${Math.floor(silentMs / 1_000)} s\x1b[K`);
    this.#isShown = true;
  }
}
