import { setTimeout as sleep } from "node:timers/promises";
import { type ConnectionOptions, connect, type NatsConnection } from "nats";
import type { PeerMessage } from "../../gen/headwater/v1/fanout_pb.ts";
import { backoffMsMax, backoffMsMin, dialDeadlineMs, secondMs } from "../../relay/cadence.ts";
import type { LogEntry, PeerAskBody } from "../../relay/effect.ts";
import type { NodeAccess } from "../access.ts";
import type { NatsAddress } from "../config/nats-address.ts";
import { DropLog } from "./drop-log.ts";
import type { Fanout } from "./fanout.ts";
import { natsAuthenticator } from "./nats-credentials.ts";
import { greetingServers } from "./nats-greeting.ts";
import { natsProblem } from "./nats-problem.ts";
import { PeerSession } from "./peer-session.ts";
import { type SiteSubjects, siteSubjects } from "./site-subjects.ts";

export interface NatsFanoutOptions {
  readonly access: NodeAccess;
  readonly address: NatsAddress;
  /**
   * Credentials as `natsAuthenticator` reads them, and PEM of authorities to trust; asked for at
   * each connection, so that both can be renewed while the node runs.
   */
  readonly readSecrets?: () => NatsSecrets;
  /** The site's public key, 32 bytes. */
  readonly siteKey: Uint8Array;
  /** This node's name, its own within the site. */
  readonly node: string;
  log(entry: LogEntry): void;
}

export interface NatsSecrets {
  readonly credentials?: string;
  readonly authorities?: string;
}

/**
 * Talks to the other nodes of a site over core NATS. Returns at once and keeps trying for as long
 * as it is open; each change is told as `fanout-changed`.
 * @throws HeadwaterError when the secrets can not be read
 */
export function openNatsFanout(options: NatsFanoutOptions): Fanout {
  const { credentials } = options.readSecrets?.() ?? {};
  if (credentials !== undefined) natsAuthenticator(credentials);
  return new NatsFanout(options);
}

/** A silent server is given up after three of these. */
const pingIntervalMs = 5 * secondMs;

/** A server that answers does so in milliseconds; one that does not must not hold up a stop. */
const drainDeadlineMs = 2 * secondMs;

/**
 * The client's own reconnecting is not used: it can not be stopped before the first connection,
 * does not say why it fails, queues without bound meanwhile, and gives up after two refusals.
 */
class NatsFanout implements Fanout {
  readonly #options: NatsFanoutOptions;
  readonly #subjects: SiteSubjects;
  readonly #drops: DropLog;
  readonly #closing = new AbortController();
  #live: { readonly connection: NatsConnection; readonly session: PeerSession } | undefined;
  #told = "";

  constructor(options: NatsFanoutOptions) {
    this.#options = options;
    this.#subjects = siteSubjects(options.siteKey);
    this.#drops = new DropLog((entry) => options.log(entry));
    void this.#keepConnected();
  }

  publish(message: PeerMessage): void {
    this.#live?.session.publish(message);
  }

  ask(ask: PeerAskBody): void {
    this.#live?.session.ask(ask);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const connection = this.#live?.connection;
    if (connection === undefined) return;
    const deadline = new AbortController();
    const late = sleep(drainDeadlineMs, undefined, { signal: deadline.signal }).catch(() => {});
    await Promise.race([connection.drain().catch(() => {}), connection.closed(), late]);
    deadline.abort();
    await connection.close();
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#closing;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const startedMonoMs = this.#options.access.now().monoMs;
      const problem = await this.#connectOnce();
      if (signal.aborted) return;
      this.#tell(false, problem);
      // A connection that lived is a new start; one that comes and goes is not.
      if (this.#options.access.now().monoMs - startedMonoMs > backoffMsMax) attempt = 0;
      const boundMs = Math.min(backoffMsMax, backoffMsMin * 2 ** attempt);
      await sleep(Math.random() * boundMs, undefined, { signal }).catch(() => {});
    }
  }

  /** Resolves with the reason once a connection has ended, or could not be made. */
  async #connectOnce(): Promise<string> {
    const { servers } = this.#options.address;
    const connection = await this.#connect().catch((error: unknown) => natsProblem(error, servers));
    if (typeof connection === "string") return connection;
    if (this.#closing.signal.aborted) await connection.close();
    // Refused in the same breath as it was made.
    else if (!connection.isClosed()) await this.#serve(connection);
    return natsProblem(await connection.closed(), servers);
  }

  async #connect(): Promise<NatsConnection> {
    const { address, node, readSecrets } = this.#options;
    const secrets = readSecrets?.() ?? {};
    const servers = await greetingServers(address.servers, this.#closing.signal);
    return connect(clientOptions({ address: { ...address, servers }, node, secrets }));
  }

  async #serve(connection: NatsConnection): Promise<void> {
    const session = this.#open(connection);
    this.#live = { connection, session };
    this.#tell(true, "");
    await connection.closed();
    this.#live = undefined;
    session.end();
  }

  #open(connection: NatsConnection): PeerSession {
    return new PeerSession({
      connection,
      subjects: this.#subjects,
      node: this.#options.node,
      access: this.#options.access,
      drops: this.#drops,
      onProblem: (problem) => this.#tell(true, problem),
    });
  }

  #tell(connected: boolean, problem: string): void {
    const change = `${connected} ${problem}`;
    if (change === this.#told || this.#closing.signal.aborted) return;
    this.#told = change;
    this.#options.access.tell({ kind: "fanout-changed", connected, problem });
  }
}

function clientOptions(of: {
  address: NatsAddress;
  node: string;
  secrets: NatsSecrets;
}): ConnectionOptions {
  const { address, secrets } = of;
  return {
    servers: [...address.servers],
    name: `headwater ${of.node}`,
    ...credentialOptions(address, secrets),
    ...tlsOptions(address, secrets),
    noEcho: true,
    reconnect: false,
    timeout: dialDeadlineMs,
    pingInterval: pingIntervalMs,
    maxPingOut: 2,
  };
}

/** Naming authorities asks for TLS: a server without it is refused. */
function tlsOptions({ tls }: NatsAddress, { authorities }: NatsSecrets): ConnectionOptions {
  if (authorities !== undefined) return { tls: { ca: authorities } };
  return tls ? { tls: {} } : {};
}

function credentialOptions(
  { credentials: inUrl }: NatsAddress,
  { credentials }: NatsSecrets,
): ConnectionOptions {
  if (credentials !== undefined) return { authenticator: natsAuthenticator(credentials) };
  switch (inUrl.by) {
    case "nothing":
      return {};
    case "token":
      return { token: inUrl.token };
    case "password":
      return { user: inUrl.user, pass: inUrl.password };
  }
}
