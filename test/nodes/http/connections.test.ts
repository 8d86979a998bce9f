import { expect, onTestFinished, test, vi } from "vitest";
import { openListener } from "../../../nodes/http/listener.ts";
import { connectionsWaitingMax } from "../../../relay/limits.ts";
import { localhostCertificate } from "./localhost-certificate.ts";
import { openRaw, type RawConnection } from "./raw-connection.ts";
import { connectedWhileBusy, systemLetsWait } from "./waiting-connections.ts";

/** Ten thousand sockets would say no more than three. */
const { connectionsCountMax } = vi.hoisted(() => ({ connectionsCountMax: 3 }));
vi.mock("../../../relay/limits.ts", async (actual) => ({
  ...(await actual<object>()),
  connectionsCountMax,
}));

async function open(of: { tls?: typeof localhostCertificate }): Promise<string> {
  const stop = new AbortController();
  const listener = await openListener({
    address: "127.0.0.1:0",
    handler: (_, response) => response.end("here"),
    setting: "HEADWATER_APPS_ADDR",
    signal: stop.signal,
    deadlines: { closeMs: 1_000 },
    ...of,
  });
  onTestFinished(async () => {
    stop.abort();
    await listener.close();
  });
  return listener.address;
}

async function dial(address: string): Promise<RawConnection> {
  const raw = await openRaw(address);
  onTestFinished(() => void raw.socket.destroy());
  return raw;
}

/** What is heard on a connection that asks, and then ends. */
async function answerTo(raw: RawConnection): Promise<string> {
  raw.socket.write("GET / HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n");
  await raw.closed;
  return raw.heard();
}

test("past so many connections one more is closed at once, until there is room", async () => {
  const address = await open({});
  const dialled = await Promise.all(
    Array.from({ length: connectionsCountMax }, () => dial(address)),
  );
  await (await dial(address)).closed;
  for (const one of dialled) expect(await answerTo(one)).toContain("here");
  await vi.waitFor(async () => expect(await answerTo(await dial(address))).toContain("here"), {
    timeout: 20_000,
  });
});

test("before it costs a handshake of TLS", async () => {
  const address = await open({ tls: localhostCertificate });
  for (let n = 0; n < connectionsCountMax; n++) await dial(address);
  const oneMore = await dial(address);
  await oneMore.closed;
  expect(oneMore.heard()).toBe("");
});

const comersCount = connectionsWaitingMax / 2;
const isRoom = systemLetsWait(comersCount);

test.runIf(isRoom)("thousands that come at once wait until they are accepted", async () => {
  expect(connectedWhileBusy(await open({}), comersCount)).toBe(comersCount);
});
