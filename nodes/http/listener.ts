import { createServer as createHttp1 } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { createServer as createTcp, type Server, type Socket } from "node:net";
import { createServer as createTls, Server as TlsServer } from "node:tls";
import {
  connectionStreamsMax,
  connectionsCountMax,
  connectionsWaitingMax,
  headerBytesMax,
} from "../../relay/limits.ts";
import { HeadwaterError } from "../error.ts";
import { listenError } from "../listen-error.ts";
import { formatAddress, parseAddress } from "./address.ts";
import { guardHttp1, guardHttp2, guardTaken } from "./connection-guard.ts";
import { type Deadlines, defaultDeadlines } from "./deadlines.ts";
import type { HttpHandler } from "./http-handler.ts";
import { type HttpVersion, sniffProtocol } from "./protocol-sniffer.ts";

/** PEM. With `ca`, clients have to show a certificate that it has signed. */
export interface TlsFiles {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly ca?: string | Buffer | undefined;
}

export interface Listener {
  /** `host:port`, with the port that it really is. */
  readonly address: string;
  /** Takes no more connections, waits for requests in progress until the deadline; idempotent. */
  close(): Promise<void>;
  /** For connections from now on; without TLS it changes nothing. */
  renewTls(tls: TlsFiles): void;
}

export interface ListenerOptions {
  /** `host:port`; port 0 is any that is free. */
  readonly address: string;
  readonly handler: HttpHandler;
  /** Asked first about each connection without TLS that speaks HTTP/1.1. */
  readonly lane?: ConnectionLane | undefined;
  /** The setting that the address comes from, for hints. */
  readonly setting: string;
  readonly tls?: TlsFiles | undefined;
  /** Closes the listener. */
  readonly signal: AbortSignal;
  readonly deadlines?: Partial<Deadlines> | undefined;
}

/**
 * Takes a connection out of HTTP, going by all that has come on it; false, and nothing done, for one
 * that it does not want. It ends what it has taken, and all of it when the listener is to close.
 */
export type ConnectionLane = (socket: Socket, firstBytes: Buffer) => boolean;

/**
 * Listens for HTTP/1.1 and HTTP/2 on one port: without TLS told apart by the first bytes, with TLS
 * by ALPN.
 * @throws HeadwaterError `busy` when the port is taken, `invalid` when it cannot be had at all
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  options.signal.throwIfAborted();
  const deadlines = { ...defaultDeadlines, ...options.deadlines };
  const wanted = parseAddress(options);
  const protocols = openProtocols(options, deadlines);
  const acceptor =
    options.tls === undefined
      ? createTcp(transportOptions(deadlines), protocols.accept)
      : openTls(options.tls, protocols, deadlines);
  acceptor.maxConnections = connectionsCountMax;
  const sockets = new Set<Socket>();
  acceptor.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await listening(acceptor, options);

  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= closing({ acceptor, protocols, sockets, closeMs: deadlines.closeMs });
    return closed;
  };
  const closeUnasked = (): void => void close();
  options.signal.addEventListener("abort", closeUnasked, { once: true });
  if (options.signal.aborted) closeUnasked();
  const renewTls = ({ cert, key, ca }: TlsFiles): void => {
    if (acceptor instanceof TlsServer) acceptor.setSecureContext({ cert, key, ...(ca && { ca }) });
  };
  return { address: actualAddress(acceptor, wanted.host), close, renewTls };
}

interface Protocols {
  /** Takes a connection whose first bytes tell what it speaks. */
  readonly accept: (socket: Socket) => void;
  readonly serve: (version: HttpVersion, socket: Socket) => void;
  readonly drain: () => void;
}

/** The two servers listen nowhere: they are handed their connections. */
function openProtocols(
  { handler, lane }: Pick<ListenerOptions, "handler" | "lane">,
  deadlines: Deadlines,
): Protocols {
  const { firstBytesMs, headersMs, requestMs, silenceMs } = deadlines;
  const http1 = createHttp1(
    {
      maxHeaderSize: headerBytesMax,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      keepAliveTimeout: silenceMs,
      connectionsCheckingInterval: Math.ceil(Math.min(headersMs, requestMs) / 4),
    },
    handler,
  );
  const settings = {
    maxConcurrentStreams: connectionStreamsMax,
    maxHeaderListSize: headerBytesMax,
  };
  const http2 = createHttp2({ settings }, handler);
  const taken = guardTaken(deadlines);
  const guards = [guardHttp1(http1, deadlines), guardHttp2(http2, deadlines), taken];
  // An http.Server checks its deadlines from when it listens until it is closed.
  http1.emit("listening");
  const silent = new Set<Socket>();
  const serve = (version: HttpVersion, socket: Socket): void => {
    (version === "http1" ? http1 : http2).emit("connection", socket);
  };
  const accept = (socket: Socket): void => {
    const forget = (): void => void silent.delete(socket.off("close", forget));
    silent.add(socket.on("close", forget));
    sniffProtocol(socket, firstBytesMs, (version, firstBytes) => {
      forget();
      if (version === "http1" && lane?.(socket, firstBytes) === true) return taken.add(socket);
      socket.unshift(firstBytes);
      serve(version, socket);
    });
  };
  const drain = (): void => {
    http1.close();
    for (const socket of silent) socket.destroy();
    for (const guard of guards) guard.drain();
  };
  return { accept, serve, drain };
}

function openTls(tls: TlsFiles, protocols: Protocols, deadlines: Deadlines): Server {
  const clients = tls.ca === undefined ? {} : { ca: tls.ca, requestCert: true };
  const options = {
    ...transportOptions(deadlines),
    ...clients,
    cert: tls.cert,
    key: tls.key,
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout: deadlines.firstBytesMs,
  };
  try {
    const server = createTls(options, (socket) =>
      protocols.serve(socket.alpnProtocol === "h2" ? "http2" : "http1", socket),
    );
    // A failed handshake, or one that took too long, leaves its connection to be closed here.
    return server.on("tlsClientError", (_, socket) => socket.destroy());
  } catch (cause) {
    throw new HeadwaterError({
      kind: "invalid",
      message: "the TLS certificate and key do not work",
      hint: "Set HEADWATER_TLS_CERT_FILE and HEADWATER_TLS_KEY_FILE to PEM files that belong together.",
      cause,
    });
  }
}

/** A peer that vanished without a word is found by TCP's keep-alive. */
function transportOptions({ silenceMs }: Deadlines): {
  noDelay: boolean;
  keepAlive: boolean;
  keepAliveInitialDelay: number;
} {
  return { noDelay: true, keepAlive: true, keepAliveInitialDelay: silenceMs };
}

async function listening(acceptor: Server, options: ListenerOptions): Promise<void> {
  const { host, port } = parseAddress(options);
  const { address, setting } = options;
  await new Promise<void>((resolve, reject) => {
    acceptor.once("error", (cause) => reject(listenError({ address, setting, cause })));
    const at = { port, backlog: connectionsWaitingMax };
    acceptor.listen(host === "" ? at : { ...at, host }, resolve);
  });
  // From here on only accepting can fail, for want of file descriptors: the connection is lost,
  // the listener is not.
  acceptor.on("error", () => undefined);
}

function actualAddress(acceptor: Server, wantedHost: string): string {
  const bound = acceptor.address();
  if (bound === null || typeof bound === "string") return wantedHost;
  return formatAddress({ host: wantedHost === "" ? bound.address : wantedHost, port: bound.port });
}

function closing(of: {
  acceptor: Server;
  protocols: Protocols;
  sockets: ReadonlySet<Socket>;
  closeMs: number;
}): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      for (const socket of of.sockets) socket.destroy();
    }, of.closeMs);
    of.acceptor.close(() => {
      clearTimeout(cut);
      resolve();
    });
    of.protocols.drain();
  });
}
