import {
  dialDeadlineMs,
  heartbeatIntervalMs,
  heartbeatsMissedMax,
  minuteMs,
  secondMs,
} from "../../relay/cadence.ts";

/** How long a listener waits for what, in milliseconds. None of them cuts a stream that flows. */
export interface Deadlines {
  /** From the connection to its first bytes, or to the end of the TLS handshake. */
  readonly firstBytesMs: number;
  /** From the first bytes of a request to the end of its headers. */
  readonly headersMs: number;
  /** From the first bytes of a request to the end of its body. */
  readonly requestMs: number;
  /** Of a connection with nothing in progress, or whose peer does not take what it was sent. */
  readonly silenceMs: number;
  /** For requests in progress once the listener closes; streams are told to end at once. */
  readonly closeMs: number;
}

export const defaultDeadlines: Deadlines = {
  firstBytesMs: dialDeadlineMs,
  headersMs: heartbeatIntervalMs * heartbeatsMissedMax,
  requestMs: minuteMs,
  silenceMs: heartbeatIntervalMs * heartbeatsMissedMax,
  closeMs: 5 * secondMs,
};
