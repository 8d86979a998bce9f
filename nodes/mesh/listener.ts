import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { ConnectionInjector } from "@grpc/grpc-js";
import { secondMs } from "../../relay/cadence.ts";
import { connectionsWaitingMax, meshConnectionsMax } from "../../relay/limits.ts";
import type { HeadwaterError } from "../error.ts";
import { listenError } from "../listen-error.ts";
import type { Log } from "../log.ts";
import { formatAddress, parseAddress } from "./address.ts";
import type { Admission } from "./admission.ts";

/** How often it is looked at what each connection has sent. */
const meterIntervalMs = 1 * secondMs;

type MeteredSocket = Socket & { bytesMetered?: number };

/** The listening socket, ours rather than grpc-js's: it bounds connections and can end one. */
export interface Listener {
  /** `host:port`, as bound. */
  readonly address: string;
  /** Ends a connection whatever its peer does; `peer` as `getPeer()` of a call has it. */
  destroyConnection(peer: string): void;
  /** Takes no more connections; resolves when the last is gone. */
  close(): Promise<void>;
  destroyConnections(): void;
}

/** @throws HeadwaterError `busy` or `invalid` when it cannot listen there */
export async function listen(of: {
  readonly address: string;
  readonly injector: ConnectionInjector;
  readonly admission: Admission;
  readonly log: Log;
}): Promise<Listener> {
  const { address, injector, admission, log } = of;
  const hostPort = parseAddress(address);
  if (hostPort === undefined) throw cannotListen(address, new Error("it is not host:port"));
  const sockets = new Map<string, MeteredSocket>();
  const meter = setInterval(() => endFloods(sockets.values(), admission), meterIntervalMs).unref();
  const server = createServer((socket) => {
    if (!admission.connection(socket.remoteAddress ?? "")) {
      socket.destroy();
      return;
    }
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    sockets.set(peer, socket);
    // TLS sees it too, and deals with it.
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(peer));
    injector.injectConnection(socket);
  });
  server.maxConnections = meshConnectionsMax;
  server.listen({ ...hostPort, backlog: connectionsWaitingMax });
  try {
    await once(server, "listening");
  } catch (error) {
    throw cannotListen(address, error);
  }
  server.on("error", ({ message }) =>
    log.write({ level: "error", event: "mesh-listener-failed", message }),
  );
  const bound = server.address();
  return {
    address: formatAddress({
      host: hostPort.host,
      port: typeof bound === "object" && bound !== null ? bound.port : hostPort.port,
    }),
    destroyConnection: (peer) => sockets.get(peer)?.destroy(),
    destroyConnections: () => {
      for (const socket of sockets.values()) socket.destroy();
    },
    close: async () => {
      clearInterval(meter);
      server.close();
      await once(server, "close");
    },
  };
}

/** Pings, headers and cancelled streams show nowhere but in the bytes of their connection. */
function endFloods(sockets: Iterable<MeteredSocket>, admission: Admission): void {
  for (const socket of sockets) {
    const bytes = socket.bytesRead - (socket.bytesMetered ?? 0);
    socket.bytesMetered = socket.bytesRead;
    if (bytes > 0 && !admission.bytes(socket.remoteAddress ?? "", bytes)) socket.destroy();
  }
}

function cannotListen(address: string, cause: unknown): HeadwaterError {
  return listenError({ address, setting: "HEADWATER_MESH_ADDR", cause });
}
