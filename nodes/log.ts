import process from "node:process";
import { type DestinationStream, pino } from "pino";
import pretty from "pino-pretty";
import type { LogEntry, LogLevel } from "../relay/effect.ts";
import { LastingStream, type LostLines } from "./lasting-stream.ts";

/** Where business events are told, one line each. Small, so that a test's is a list. */
export interface Log {
  /** `cause` is whatever was thrown; its stack goes into the log and nowhere else. */
  write(entry: LogEntry & { readonly cause?: unknown }): void;
}

/** A log on stderr, as stdout is for what a command answers: JSON lines, pretty on a terminal. */
export function openLog(level: LogLevel): Log {
  // Reading `isTTY` makes a pipe one that refuses what it has no room for, in place of stopping the node.
  const { isTTY, fd } = process.stderr;
  const destination = new LastingStream(fd, (lost) => lostLine(lost, isTTY));
  return createLog({ level, pretty: isTTY, destination });
}

/** At every level: whoever asks for less still has to know that this is not all. */
function lostLine({ count, sinceMs }: LostLines, isPretty: boolean): string {
  const line = JSON.stringify({
    level: "warn",
    time: new Date().toISOString(),
    event: "log-lines-lost",
    count,
    since: new Date(sinceMs).toISOString(),
    msg: `of the log ${count} lines are lost here: nobody read it, or its disk was full`,
  });
  return isPretty ? pretty.prettyFactory(prettyOptions)(line) : `${line}\n`;
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

const prettyOptions = { translateTime: "SYS:HH:MM:ss", singleLine: true };

function prettyTo(destination: DestinationStream): pretty.PrettyStream {
  return pretty({ ...prettyOptions, destination, sync: true });
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
