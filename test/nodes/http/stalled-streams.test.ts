import type { ClientHttp2Session } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import type { HttpResponse } from "../../../nodes/http/http-handler.ts";
import { streamTakenBytesMin } from "../../../relay/limits.ts";
import { bodyOf, openHttp2 } from "./http2-call.ts";
import { openHeld } from "./local-listener.ts";

const within = { timeout: 20_000, interval: 5 };

/** Two streams that have begun, over one connection. */
async function openTwo(silenceMs: number) {
  const { address, streams } = await openHeld({ silenceMs });
  const session = await openHttp2(`http://${address}`);
  onTestFinished(() => session.destroy());
  session.setLocalWindowSize(1024 * 1024);
  const unread = session.request({ ":path": "/" }).on("error", () => undefined);
  const other = session.request({ ":path": "/" }).resume();
  await vi.waitFor(() => expect(streams).toHaveLength(2), within);
  const [toUnread, toOther] = streams as [HttpResponse, HttpResponse];
  return { session, unread, other, toUnread, toOther };
}

function always(act: () => void): void {
  const busy = setInterval(act, 20);
  onTestFinished(() => clearInterval(busy));
}

test.each([
  ["goes on with others", (_: ClientHttp2Session, other: HttpResponse) => other.write("more ")],
  ["sends pings", (session: ClientHttp2Session) => session.ping(() => undefined)],
])("a stream that is not read is cut, though its peer %s", async (_, act) => {
  const { session, unread, other, toUnread, toOther } = await openTwo(200);
  always(() => act(session, toOther));
  toUnread.write(Buffer.alloc(100_000));
  await vi.waitFor(() => expect(unread.closed).toBe(true), within);
  expect(other.closed).toBe(false);
});

test("a stream has the more time the more it has to take", async () => {
  const silenceMs = 500;
  const { unread, toUnread, toOther } = await openTwo(silenceMs);
  always(() => toOther.write("more "));
  const message = "x".repeat(32 * streamTakenBytesMin);
  toUnread.end(message);
  await sleep(3 * silenceMs);
  expect(await bodyOf(unread)).toHaveLength("first ".length + message.length);
});
