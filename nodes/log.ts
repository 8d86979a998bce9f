import { writeSync } from "node:fs";
import process from "node:process";
import { Writable } from "node:stream";
import { type DestinationStream, pino } from "pino";
import pretty from "pino-pretty";
import { secondMs } from "../relay/cadence.ts";
import type { LogEntry, LogLevel } from "../relay/effect.ts";
import { logBytesWaitingMax } from "../relay/limits.ts";

/** Where business events are told, one line each. Small, so that a test's is a list. */
export interface Log {
  /** `cause` is whatever was thrown; its stack goes into the log and nowhere else. */
  write(entry: LogEntry & { readonly cause?: unknown }): void;
}

/** A log on stderr, as stdout is for what a command answers: JSON lines, pretty on a terminal. */
export function openLog(level: LogLevel): Log {
  // Reading `isTTY` makes a pipe one that refuses what it has no room for, in place of stopping the node.
  const { isTTY, fd } = process.stderr;
  return createLog({ level, pretty: isTTY, destination: new LastingStream(fd) });
}

/**
 * Writes to a descriptor at once, and never fails. What can not be written, on a full disk or to who
 * does not read, waits up to a bound, and is tried again with all that comes and each second.
 */
class LastingStream extends Writable {
  readonly #descriptor: number;
  #waiting: Buffer = Buffer.alloc(0);
  #isRetrying = false;

  constructor(descriptor: number) {
    super();
    this.#descriptor = descriptor;
  }

  override _write(bytes: Buffer, _: BufferEncoding, done: () => void): void {
    // First what waits: there may be room by now.
    this.#writeWaiting();
    if (this.#waiting.length + bytes.length <= logBytesWaitingMax) {
      this.#waiting = Buffer.concat([this.#waiting, bytes]);
      this.#writeWaiting();
    }
    done();
  }

  #writeWaiting(): void {
    try {
      while (this.#waiting.length > 0)
        this.#waiting = this.#waiting.subarray(writeSync(this.#descriptor, this.#waiting));
    } catch {
      this.#retrySoon();
    }
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

export function createLog(of: {
  level: LogLevel;
  pretty: boolean;
  destination: DestinationStream;
}): Log {
  const logger = pino(
    {
      level: of.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    of.pretty ? prettyTo(of.destination) : of.destination,
  );
  return {
    write({ level, event, message, fields, cause }) {
      if (!logger.isLevelEnabled(level)) return;
      const failure = cause === undefined ? {} : { error: { stack: causeText(cause) } };
      logger[level]({ event, ...withoutSecrets(fields ?? {}), ...failure }, message);
    },
  };
}

function prettyTo(destination: DestinationStream): pretty.PrettyStream {
  return pretty({ destination, sync: true, translateTime: "SYS:HH:MM:ss", singleLine: true });
}

const SECRET_PATTERN = /token|authorization|secret|password|credential|cookie|seed|private/i;

/** By name, so that a field that should never have been there does no harm. */
function withoutSecrets(fields: NonNullable<LogEntry["fields"]>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      SECRET_PATTERN.test(name) ? "[redacted]" : value,
    ]),
  );
}

/** Errors that an error may be caused by; more say nothing new, and a ring would never end. */
const causesCountMax = 5;

/** Stacks only: properties of an error may hold what a peer was sent, credentials included. */
function causeText(cause: unknown, causesCount = 0): string {
  if (!(cause instanceof Error)) return String(cause);
  const own = cause.stack ?? `${cause.name}: ${cause.message}`;
  if (cause.cause === undefined || causesCount === causesCountMax) return own;
  return `${own}\ncaused by ${causeText(cause.cause, causesCount + 1)}`;
}
