import { EventSource } from "eventsource";
import { describe, expect, onTestFinished, test } from "vitest";
import type { FakeAccess } from "../../fake-access.ts";
import { flagAt } from "../../fake-access.ts";
import { nodeWith } from "../flagd/flagd-node.ts";
import { type OpenedApps, openTestApps } from "../open-apps.ts";
import { until } from "../watching.ts";

const path = "/horizon/ofrep/v1/events";

/** A published client of server-sent events, as browsers have it built in. */
function listen(url: string): { events: { id: string; data: object }[]; opened: () => boolean } {
  const source = new EventSource(url);
  onTestFinished(() => source.close());
  const events: { id: string; data: object }[] = [];
  source.addEventListener("message", ({ lastEventId, data }) => {
    events.push({ id: lastEventId, data: JSON.parse(String(data)) as object });
  });
  return { events, opened: () => source.readyState === EventSource.OPEN };
}

async function opened(access: FakeAccess, options = {}): Promise<OpenedApps> {
  return openTestApps(access, options);
}

describe("server-sent events", () => {
  test("ask for the flags again after each change", async () => {
    const access = nodeWith({ path: 0 });
    const { url, counts } = await opened(access);
    const { events } = listen(`${url}${path}`);
    await until(() => counts.watchersCount === 1);
    access.set("horizon", "", flagAt("path", 500));
    await until(() => events.length === 1);
    expect(events).toEqual([
      { id: "1.2 FRESH", data: { type: "refetchEvaluation", etag: "1.2 FRESH" } },
    ]);
  });

  test("ask at once whoever comes with an older state, and nobody else", async () => {
    const access = nodeWith({ path: 0 });
    const { url, counts } = await opened(access);
    const late = listen(`${url}${path}?state=1.0+FRESH`);
    const current = listen(`${url}${path}?state=1.1+FRESH`);
    await until(() => counts.watchersCount === 2);
    await until(() => late.events.length === 1);
    access.set("horizon", "", flagAt("path", 500));
    await until(() => late.events.length === 2 && current.events.length === 1);
    expect(current.events[0]?.id).toBe("1.2 FRESH");
  });

  test("go on where they were after the node was away", async () => {
    const access = nodeWith({ path: 0 });
    const first = await opened(access);
    const { events } = listen(`${first.url}${path}`);
    await until(() => first.counts.watchersCount === 1);
    access.set("horizon", "", flagAt("path", 500));
    await until(() => events.length === 1);
    await first.close();
    access.set("horizon", "", flagAt("path", 1_000));
    await opened(access, { address: first.address });
    await until(() => events.length === 2);
    expect(events[1]?.id).toBe("1.3 FRESH");
  });

  test("are comments while nothing changes, and take no place once the client is gone", async () => {
    const { url, counts } = await opened(nodeWith({ path: 0 }), { heartbeatMs: 10 });
    const abort = new AbortController();
    const response = await fetch(`${url}${path}`, { signal: abort.signal });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk);
      if (text.split(": alive\n\n").length > 3) break;
    }
    abort.abort();
    await until(() => counts.watchersCount === 0);
  });

  test("of a project that is not there are refused", async () => {
    const { url } = await opened(nodeWith({ path: 0 }));
    expect((await fetch(`${url}/nowhere/ofrep/v1/events`)).status).toBe(404);
  });
});
