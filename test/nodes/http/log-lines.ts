import type { Log } from "../../../nodes/log.ts";

export type LogLine = Parameters<Log["write"]>[0];

/** A log that a test can read. */
export class LogLines implements Log {
  readonly lines: LogLine[] = [];

  write(line: LogLine): void {
    this.lines.push(line);
  }

  get events(): string[] {
    return this.lines.map(({ event }) => event);
  }
}
