import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { siteSubjects } from "../../../nodes/fanout/site-subjects.ts";
import { peerIntervalMs, secondMs } from "../../../relay/cadence.ts";
import { fanoutBytesInFlightMax } from "../../../relay/limits.ts";
import { eventually } from "./eventually.ts";
import { natsServer, startedServer } from "./nats-server.ts";
import { connected, connectedPeer, openPeer, reasons, saying, siteKey, words } from "./peer.ts";

describe("the connection to NATS", { timeout: 60_000 }, () => {
  test("a node starts without NATS and joins in once it is there", async (context) => {
    const server = await natsServer(context);
    const early = openPeer(server, "early");
    await eventually(() =>
      expect(early.access.changes).toEqual([
        {
          connected: false,
          problem: `NATS at 127.0.0.1:${server.port} can not be reached: nothing listens there`,
        },
      ]),
    );
    early.fanout.publish(saying("early", "to nobody"));
    early.fanout.ask({ holdings: [] });
    await server.start();
    await connected(early);
    const late = await connectedPeer(server, "late");
    early.fanout.publish(saying("early", "hello"));
    await eventually(() => expect(words(late)).toEqual(["early hello"]));
    expect(late.access.asks).toEqual([]);
  });

  test("nodes find each other again after the server was restarted", async (context) => {
    const server = await startedServer(context);
    const a = await connectedPeer(server, "a");
    const b = await connectedPeer(server, "b");
    await server.stop();
    for (const { access } of [a, b])
      await eventually(() =>
        expect(access.changes[1]).toEqual({
          connected: false,
          problem: `the connection to NATS at 127.0.0.1:${server.port} was lost`,
        }),
      );
    a.fanout.publish(saying("a", "lost"));
    await server.start();
    await Promise.all([connected(a), connected(b)]);
    b.access.answerWith = () => [saying("b", "answer")];
    b.fanout.publish(saying("b", "again"));
    a.fanout.ask({ holdings: [] });
    await eventually(() => expect(words(a)).toEqual(["b again", "b answer"]));
    expect(words(b)).toEqual([]);
  });

  test("a wrong password is said once, without it, and tried for ever", async (context) => {
    const server = await startedServer(context, authorization("right"));
    const a = openPeer(server, "a", { url: server.url("node:wr%6Fng") });
    // The client itself would give up after the second.
    await eventually(() =>
      expect(server.log.split("authentication error").length).toBeGreaterThan(3),
    );
    expect(a.access.changes).toEqual([
      {
        connected: false,
        problem:
          `NATS at 127.0.0.1:${server.port} refuses this node: ` +
          "check the user and password in HEADWATER_NATS_URL, or HEADWATER_NATS_CREDENTIALS_FILE",
      },
    ]);
    await server.stop();
    await server.start(authorization("wrong"));
    await connected(a);
    expect(JSON.stringify([a.access.changes, a.log])).not.toMatch(/wrong|wr%6Fng/);
  });

  test.for([
    ["a password", authorization("ri@ght"), "node:ri%40ght"],
    ["a token", 'authorization { token: "to:ken" }', "to%3Aken"],
  ] as const)("is made with %s", async ([, config, credentials], context) => {
    const server = await startedServer(context, config);
    await connected(openPeer(server, "a", { url: server.url(credentials) }));
    const without = openPeer(server, "b");
    await eventually(() => expect(without.access.state?.problem).toContain("refuses this node"));
  });

  test.for(["publish", "subscribe"])("says when its user may not %s", async (verb, context) => {
    const { frames } = siteSubjects(siteKey);
    const permissions = `permissions: { ${verb}: { deny: "${frames}" } }`;
    const server = await startedServer(context, authorization("p", permissions));
    const a = openPeer(server, "a", { url: server.url("node:p") });
    await eventually(() => expect(a.access.state?.connected).toBe(true));
    a.fanout.publish(saying("a", "hello"));
    await eventually(() =>
      expect(a.access.state).toEqual({
        connected: true,
        problem: expect.stringMatching(`${frames}.* allow its user .* headwater\\.>`),
      }),
    );
  });

  test("hears again once its user is permitted to, without a new connection", async (context) => {
    const permitted = (allow: string): string =>
      authorization("p", `permissions: { publish: ">", subscribe: "${allow}" }`);
    const server = await startedServer(context, permitted("headwater.>"));
    const url = server.url("node:p");
    const [a, b] = [
      await connectedPeer(server, "a", { url }),
      await connectedPeer(server, "b", { url }),
    ];
    server.reload(permitted("nothing"));
    await eventually(() => expect(b.access.state?.problem).toContain("does not permit"));
    server.reload(permitted("headwater.>"));
    await eventually(() => {
      a.fanout.publish(saying("a", "hello"));
      expect(words(b)).toContain("a hello");
    });
    b.access.monoMs += 3 * peerIntervalMs;
    await connected(b);
  });

  test("tells of another problem once the first is mended", async (context) => {
    const permitted = (publish: string, subscribe: string): string =>
      authorization("p", `permissions: { publish: "${publish}", subscribe: "${subscribe}" }`);
    const server = await startedServer(context, permitted(">", "headwater.>"));
    const a = await connectedPeer(server, "a", { url: server.url("node:p") });
    server.reload(permitted("nothing", "nothing"));
    await eventually(() => expect(a.access.state?.problem).toContain("subscription of"));
    server.reload(permitted("nothing", "headwater.>"));
    await eventually(() => {
      a.access.monoMs += peerIntervalMs / 100;
      a.fanout.publish(saying("a", "hello"));
      expect(a.access.state?.problem).toContain("publish of");
    });
  });

  test("asks for nothing again while it closes, where a server that refused hangs", async (context) => {
    const permitted = (subscribe: string): string =>
      authorization("p", `permissions: { publish: ">", subscribe: "${subscribe}" }`);
    const server = await startedServer(context, permitted("nothing"));
    const a = openPeer(server, "a", { url: server.url("node:p") });
    await eventually(() => expect(a.access.state?.problem).toContain("subscription of"));
    // What was refused is asked for again every 10 s: once more while it closes.
    await sleep(peerIntervalMs - secondMs);
    server.freeze();
    await a.fanout.close();
  });

  test("says when TLS is asked for and not there", async (context) => {
    const server = await startedServer(context);
    const a = openPeer(server, "a", { url: server.url().replace("nats:", "tls:") });
    await eventually(() => expect(a.access.state?.problem).toContain("has no TLS"));
  });

  test("uses the server of a cluster that is there", async (context) => {
    const [absent, present] = [await natsServer(context), await startedServer(context)];
    const a = await connectedPeer(present, "a", { url: `${absent.url()},${present.url()}` });
    const b = await connectedPeer(present, "b");
    a.fanout.publish(saying("a", "hello"));
    await eventually(() => expect(words(b)).toEqual(["a hello"]));
  });

  test("closing delivers what was said before, and says nothing more", async (context) => {
    const server = await startedServer(context);
    const a = await connectedPeer(server, "a");
    const b = await connectedPeer(server, "b");
    a.fanout.publish(saying("a", "last words"));
    await a.fanout.close();
    await eventually(() => expect(words(b)).toEqual(["a last words"]));
    a.fanout.publish(saying("a", "after"));
    a.fanout.ask({ holdings: [] });
    await a.fanout.close();
    expect(a.access.changes).toEqual([{ connected: true, problem: "" }]);
    expect(a.log).toEqual([]);
  });

  test("closing does not need a server that is there and answers", async (context) => {
    await openPeer(await natsServer(context), "a").fanout.close();
    const server = await startedServer(context);
    const b = await connectedPeer(server, "b");
    server.freeze();
    await b.fanout.close();
    expect(b.access.changes).toEqual([{ connected: true, problem: "" }]);
  });

  test("of a server that takes connections and says nothing none is kept", async (context) => {
    const silent = await silentServer();
    const a = openPeer(await natsServer(context), "a", { url: silent.url });
    await eventually(() => expect(silent.openCount()).toBe(1));
    await eventually(() => expect(a.access.state?.problem).toContain("does not answer"));
    await eventually(() => expect(silent.openCount()).toBe(0));
  });

  test("closing ends a dial that nobody answers", async (context) => {
    const silent = await silentServer();
    const a = openPeer(await natsServer(context), "a", { url: silent.url });
    await eventually(() => expect(silent.openCount()).toBe(1));
    await a.fanout.close();
    await eventually(() => expect(silent.openCount()).toBe(0));
    expect(a.access.changes).toEqual([]);
  });

  test.for([
    ["220 mail.example.org ESMTP", "is no NATS server"],
    ["", "hangs up before it has greeted"],
  ] as const)("who says %o and leaves %s", async ([greeting, problem], context) => {
    const stranger = await silentServer(greeting);
    const a = openPeer(await natsServer(context), "a", { url: stranger.url });
    await eventually(() => expect(a.access.state?.problem).toContain(problem));
  });

  test("what a server that hangs does not take is dropped, past a bound", async (context) => {
    const server = await startedServer(context);
    const a = await connectedPeer(server, "a");
    const b = await connectedPeer(server, "b");
    const mebibyte = 1024 * 1024;
    const fitting = Math.floor(fanoutBytesInFlightMax / (mebibyte + 100));
    server.freeze();
    for (let count = 0; count < fitting + 3; count++)
      a.fanout.publish(saying("a", "large", mebibyte));
    expect(a.log.at(-1)).toMatchObject({ fields: { reason: "server-slow", count: 2 } });
    server.thaw();
    await eventually(() => {
      a.fanout.publish(saying("a", "again"));
      expect(words(b)).toContain("a again");
    });
    expect(words(b).filter((word) => word === "a large")).toHaveLength(fitting);
    expect(reasons(a)).toContain("server-slow");
  });
});

/** Takes connections and says nothing, or a greeting and ends them. */
async function silentServer(greeting?: string): Promise<{ url: string; openCount: () => number }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket.on("close", () => open.delete(socket)).resume());
    socket.on("error", () => {});
    if (greeting !== undefined) socket.end(greeting);
  });
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `nats://127.0.0.1:${port}`, openCount: () => open.size };
}

function authorization(password: string, rest = ""): string {
  return `authorization { users: [{ user: node, password: "${password}", ${rest} }] }`;
}
