import { EventEmitter } from "node:events";
import type { Http2Server } from "node:http2";
import { expect, onTestFinished, test, vi } from "vitest";
import { guardHttp2 } from "../../../nodes/http/connection-guard.ts";
import { defaultDeadlines } from "../../../nodes/http/deadlines.ts";

test("a connection that has just been destroyed, and is still to close, is asked nothing", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const close = vi.fn<() => void>();
  const stream = Object.assign(new EventEmitter(), {
    writableLength: 1,
    endAfterHeaders: true,
    close,
  });
  const session = Object.assign(new EventEmitter(), {
    destroyed: false,
    setTimeout: () => undefined,
    // As Node's does.
    ping: vi.fn<() => boolean>(() => {
      if (session.destroyed) throw new Error("ERR_HTTP2_INVALID_SESSION");
      return true;
    }),
    destroy: () => {
      session.destroyed = true;
    },
  });
  const server = new EventEmitter() as Http2Server;
  const silenceMs = 1_000;
  guardHttp2(server, { ...defaultDeadlines, silenceMs });
  server.emit("session", session);
  session.emit("stream", stream);
  vi.advanceTimersByTime(6 * silenceMs);
  expect(close).toHaveBeenCalled();
  expect(session.destroyed).toBe(true);
  const pingsCount = session.ping.mock.calls.length;
  vi.advanceTimersByTime(6 * silenceMs);
  expect(session.ping).toHaveBeenCalledTimes(pingsCount);
});
