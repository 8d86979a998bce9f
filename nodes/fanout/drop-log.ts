import type { LogEntry } from "../../relay/effect.ts";

const messages = {
  "too-large": "a message between peers is too large",
  unreadable: "a message from a peer can not be read",
  "part-lost": "part of a message from a peer was lost",
  "not-handled": "a message from a peer could not be handled",
  "server-slow": "NATS does not keep up, or is gone; a message was not sent",
  "too-many-asks": "peers ask more than is answered at once",
  "not-answered": "a peer's question could not be answered",
} as const;

export type DropReason = keyof typeof messages;

/**
 * Counts what is dropped, and logs at 1, 2, 4, 8, …: something is always said, and a flood does
 * not flood the log.
 */
export class DropLog {
  readonly #log: (entry: LogEntry) => void;
  readonly #counts = new Map<DropReason, number>();

  constructor(log: (entry: LogEntry) => void) {
    this.#log = log;
  }

  note(reason: DropReason, why = ""): void {
    const count = (this.#counts.get(reason) ?? 0) + 1;
    this.#counts.set(reason, count);
    if (!Number.isInteger(Math.log2(count))) return;
    this.#log({
      level: "warn",
      event: "peer-message-dropped",
      message: messages[reason],
      fields: { reason, count, ...(why !== "" && { why }) },
    });
  }
}
