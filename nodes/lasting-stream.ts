import { writeSync } from "node:fs";
import { Writable } from "node:stream";
import { secondMs } from "../relay/cadence.ts";
import { logBytesWaitingMax } from "../relay/limits.ts";

/** Lines that were lost one after the other. */
export interface LostLines {
  readonly count: number;
  /** Wall-clock milliseconds of the first. */
  readonly sinceMs: number;
}

/**
 * Writes lines to a descriptor at once, and never fails. What can not be written, on a full disk or to
 * who does not read, waits up to a bound, and is tried again with all that comes and each second. Past
 * the bound lines are lost until all that waits is written: one gap, with a line in its place.
 */
export class LastingStream extends Writable {
  readonly #descriptor: number;
  readonly #tell: (lost: LostLines) => string;
  #waiting: Buffer = Buffer.alloc(0);
  #lost: LostLines | undefined;
  #isRetrying = false;

  constructor(descriptor: number, tell: (lost: LostLines) => string) {
    super();
    this.#descriptor = descriptor;
    this.#tell = tell;
  }

  override _write(bytes: Buffer, _: BufferEncoding, done: () => void): void {
    // First what waits: there may be room by now.
    this.#writeWaiting();
    const isLost =
      this.#lost !== undefined || this.#waiting.length + bytes.length > logBytesWaitingMax;
    if (isLost) this.#lose();
    else this.#writeNext(bytes);
    done();
  }

  #lose(): void {
    const { count, sinceMs } = this.#lost ?? { count: 0, sinceMs: Date.now() };
    this.#lost = { count: count + 1, sinceMs };
  }

  #writeNext(bytes: Uint8Array): void {
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
    this.#writeWaiting();
  }

  #writeWaiting(): void {
    try {
      while (this.#waiting.length > 0)
        this.#waiting = this.#waiting.subarray(writeSync(this.#descriptor, this.#waiting));
    } catch {
      this.#retrySoon();
      return;
    }
    const lost = this.#lost;
    if (lost === undefined) return;
    this.#lost = undefined;
    this.#writeNext(Buffer.from(this.#tell(lost)));
  }

  #retrySoon(): void {
    if (this.#isRetrying) return;
    this.#isRetrying = true;
    const retry = (): void => {
      this.#isRetrying = false;
      this.#writeWaiting();
    };
    setTimeout(retry, secondMs).unref();
  }
}
