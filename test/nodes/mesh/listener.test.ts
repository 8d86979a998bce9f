import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { Admission } from "../../../nodes/mesh/admission.ts";
import { type Listener, listen } from "../../../nodes/mesh/listener.ts";
import { connectionsWaitingMax } from "../../../relay/limits.ts";
import { connectedWhileBusy, systemLetsWait } from "../http/waiting-connections.ts";

/** Ten thousand sockets would say no more than three. */
const { meshConnectionsMax } = vi.hoisted(() => ({ meshConnectionsMax: 3 }));
vi.mock("../../../relay/limits.ts", async (actual) => ({
  ...(await actual<object>()),
  meshConnectionsMax,
}));

const within = { timeout: 20_000 };

async function dial({ address }: Listener): Promise<Socket> {
  const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(address) ?? [];
  const socket = connect({ host, port: Number(port) });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

async function open(taken: Socket[] = []): Promise<Listener> {
  const listener = await listen({
    address: "127.0.0.1:0",
    injector: { injectConnection: (socket: Socket) => taken.push(socket) } as never,
    admission: new Admission({ log: { write: () => {} }, nowMs: () => 0 }),
    log: { write: () => {} },
  });
  onTestFinished(() => listener.destroyConnections());
  return listener;
}

test("past so many connections one more is closed at once, until there is room", async () => {
  const taken: Socket[] = [];
  const listener = await open(taken);
  const sockets: Socket[] = [];
  for (let n = 0; n < meshConnectionsMax; n++) sockets.push(await dial(listener));
  await vi.waitFor(() => expect(taken).toHaveLength(meshConnectionsMax), within);
  const oneMore = await dial(listener);
  await once(oneMore.resume(), "close");
  expect(taken).toHaveLength(meshConnectionsMax);
  sockets[0]?.destroy();
  await once(taken[0]!, "close");
  await dial(listener);
  await vi.waitFor(() => expect(taken).toHaveLength(meshConnectionsMax + 1), within);
});

const comersCount = connectionsWaitingMax / 2;
const isRoom = systemLetsWait(comersCount);

test.runIf(isRoom)("thousands that come at once wait until they are accepted", async () => {
  const { address } = await open();
  expect(connectedWhileBusy(address, comersCount)).toBe(comersCount);
});
