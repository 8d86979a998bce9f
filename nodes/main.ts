import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { minuteMs } from "../relay/cadence.ts";
import type { UpstreamSettings } from "../relay/link/uplink.ts";
import type { NodeSettings } from "../relay/settings.ts";
import { parseToken } from "../relay/trust/join-token.ts";
import { bytesEqual, deriveSecret, SigningKey, sha256 } from "../relay/trust/key.ts";
import { openAdmin } from "./admin/admin.ts";
import { EventCounts } from "./admin/event-counts.ts";
import { openApps } from "./apps/apps.ts";
import { appsMetrics, appsMetricsByLabel } from "./apps/apps-metrics.ts";
import { isLoopbackAddress } from "./config/address.ts";
import type { NodeConfig } from "./config/config.ts";
import { watchFiles } from "./config/file-watch.ts";
import { inTier } from "./config/panel-tier.ts";
import { dashboardFiles } from "./dashboard/dashboard.ts";
import { type Clock, Driver } from "./driver.ts";
import { HeadwaterError } from "./error.ts";
import type { Fanout } from "./fanout/fanout.ts";
import { localFanout } from "./fanout/local.ts";
import { openNatsFanout } from "./fanout/nats.ts";
import type { TlsFiles } from "./http/listener.ts";
import type { Log } from "./log.ts";
import { certificateMetrics, tellExpired } from "./mesh/certificate-end.ts";
import { openMeshClient } from "./mesh/client.ts";
import { LiveTls } from "./mesh/live-tls.ts";
import { openMeshServer } from "./mesh/server.ts";
import { type ServerIdentity, serverIdentity } from "./mesh/server-credentials.ts";
import type { Tls } from "./mesh/tls.ts";
import {
  backupOf,
  natsSecrets,
  readPins,
  readSecrets,
  readSetting,
  readTls,
  tokenFileOf,
} from "./node-files.ts";
import { type NodeNames, nodeNames } from "./node-names.ts";
import { software } from "./software.ts";
import { sparingLog } from "./sparing-log.ts";
import { openStore, type Store } from "./store/store.ts";

/** A node that runs, and where it is reached. */
export interface RunningNode extends NodeNames, AsyncDisposable {
  /** `host:port`, each with the port that it really is. */
  readonly apps: string;
  readonly mesh: string;
  readonly admin: string;
  /** Where the token for the admin address is kept. */
  readonly tokenFile: string;
}

interface Opening {
  readonly config: NodeConfig;
  readonly log: Log;
  /** The machine's, unless given. */
  readonly clock?: Clock;
}

const systemClock: Clock = {
  now: () => ({ wallMs: Date.now(), monoMs: performance.now() }),
};

/**
 * Opens all parts of a node, wires them to its core, and lets it run until it is disposed of.
 * @throws HeadwaterError when a part can not be opened; what was opened is closed again
 */
export async function openNode(of: Opening): Promise<RunningNode> {
  const { config, clock = systemClock } = of;
  const events = new EventCounts();
  const log = events.counted(sparingLog(of.log, () => clock.now().monoMs));
  await using parts = new AsyncDisposableStack();
  const store = parts.use(openStore({ directory: config.dataDir }));
  const { token, siteSecret } = readSecrets(config, log);
  const tls = new LiveTls(readTls(config));
  const identity = serverIdentity({ tls, siteSecret, addresses: meshAddresses(config) });
  const settings = settingsOf({ config, store, log, siteSecret });
  const driver = new Driver({ settings, store, clock, log });
  parts.defer(() => driver.stop());

  const stop = new AbortController();
  const server = await openMeshServer({
    access: driver,
    address: config.meshAddress,
    credentials: identity.credentials,
    log,
    signal: stop.signal,
  });
  parts.defer(() => server.stopped);
  parts.defer(() => stop.abort());
  const client = openMeshClient({ access: driver, tls, signal: stop.signal });
  const fanout = openFanout({ config, name: settings.name, driver, siteSecret, log });
  parts.defer(() => fanout.close());
  parts.defer(() => driver.tell({ kind: "stopping" }));
  driver.start({ server, client, fanout });
  await joinFromFile({ config, driver, store, log });

  const serverTls = serverTlsOf(tls);
  const apps = await openApps({
    access: driver,
    address: config.appsAddress,
    log,
    tls: serverTls,
    corsOrigins: config.appsCorsOrigins,
    isTelemetryOff: config.telemetry === "OFF",
  });
  parts.defer(() => apps.close());
  const admin = await openAdmin({
    access: driver,
    address: config.adminAddress,
    token,
    log,
    software,
    startedMs: clock.now().wallMs,
    advertise: [config.meshAdvertise ?? server.address],
    identity,
    counts: [...appsMetrics(apps.counts), ...certificateMetrics(tls)],
    labelled: appsMetricsByLabel(apps.counts),
    events,
    fallback: dashboardFiles(),
    tls: isLoopbackAddress(config.adminAddress) ? undefined : serverTls,
    backup: () => backupOf(config, store, clock.now().wallMs),
  });
  parts.defer(() => admin.close());
  watchTls({ config, log, tls, identity, signal: stop.signal, ports: [apps, admin] });

  const running = parts.move();
  return {
    name: settings.name,
    site: settings.site,
    apps: apps.address,
    mesh: server.address,
    admin: admin.address,
    tokenFile: tokenFileOf(config),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** One node as a process: until the signal. */
export async function runNode(of: {
  config: NodeConfig;
  log: Log;
  signal: AbortSignal;
  onReady?: (node: RunningNode) => void;
}): Promise<void> {
  await using node = await openNode(of);
  // It may have been told to stop while it opened.
  if (of.signal.aborted) return;
  of.onReady?.(node);
  await new Promise((resolve) => of.signal.addEventListener("abort", resolve, { once: true }));
}

function settingsOf(of: {
  config: NodeConfig;
  store: Store;
  log: Log;
  siteSecret: Uint8Array;
}): Omit<NodeSettings, "records"> {
  const { config } = of;
  return {
    ...nodeNames(of),
    nodeId: nodeIdOf(of.store),
    siteSecret: of.siteSecret,
    seed: randomBytes(4).readUInt32BE(0),
    meshAddress: reachableAddress(config),
    upstreams: config.upstreams.map(configuredUpstream),
    pins: readPins(config.trustFile),
    telemetry: config.telemetry,
    disclosure: inTier(config.disclosure, config.panelTier),
    onBad: config.onBad,
    windowMs: config.windowMs,
    healthWindowMs: config.healthWindowMs,
    censusWindowMsMin: config.censusWindowMsMin,
    // On a small machine, or with --max-old-space-size, that is less than what the limits allow.
    receivedHeapBytesMax: getHeapStatistics().heap_size_limit / 4,
  };
}

/** A port that is any is known too late for it. */
function reachableAddress({ meshAdvertise, meshAddress }: NodeConfig): string | undefined {
  const address = meshAdvertise ?? meshAddress;
  return address.endsWith(":0") ? undefined : address;
}

/** Made at the first start and kept: hop paths and loops are told by it. */
function nodeIdOf(store: Store): Uint8Array {
  const kept = store.get("node", "id");
  if (kept !== undefined) return kept;
  const id = randomBytes(8);
  store.write([{ bucket: "node", key: "id", value: id }]);
  return id;
}

function configuredUpstream(address: string): UpstreamSettings {
  const absent = { certificate: undefined, credential: undefined, projects: undefined };
  return { id: address, addresses: [address], ...absent };
}

function openFanout(of: {
  config: NodeConfig;
  name: string;
  driver: Driver;
  siteSecret: Uint8Array;
  log: Log;
}): Fanout {
  const { config, driver, log } = of;
  if (config.natsUrl === undefined) return localFanout();
  const siteKey = new SigningKey(deriveSecret({ secret: of.siteSecret, purpose: "site key" }));
  return openNatsFanout({
    access: driver,
    address: config.natsUrl,
    siteKey: siteKey.publicKey,
    node: of.name,
    readSecrets: () => natsSecrets(config),
    log: (entry) => log.write(entry),
  });
}

/**
 * A token of the file is taken once: its operator may have joined with a newer one since. A disk that
 * takes no writes now is no reason not to serve what it holds.
 */
async function joinFromFile(of: {
  config: NodeConfig;
  driver: Driver;
  store: Store;
  log: Log;
}): Promise<void> {
  const { config, driver, store, log } = of;
  if (config.joinFile === undefined) return;
  const text = readSetting("HEADWATER_JOIN_FILE", config.joinFile);
  const token = parseToken(text);
  if (!token.ok) throw HeadwaterError.refused(token.refusal);
  const mark = sha256(Buffer.from(text.trim()));
  const taken = store.get("node", "join-file");
  if (taken !== undefined && bytesEqual(taken, mark)) return;
  try {
    await driver.ask((call) => ({ kind: "join", call, token: token.value }));
    store.write([{ bucket: "node", key: "join-file", value: mark }]);
  } catch (cause) {
    const { kind, message } = HeadwaterError.from(cause);
    if (kind !== "unavailable") throw cause;
    log.write({ level: "error", event: "not-joined", message: `HEADWATER_JOIN_FILE: ${message}` });
  }
}

function serverTlsOf({ identity }: Tls): TlsFiles | undefined {
  return identity && { cert: identity.certificate, key: identity.key };
}

interface Renewal {
  readonly config: NodeConfig;
  readonly log: Log;
  readonly tls: LiveTls;
  readonly identity: ServerIdentity;
  readonly ports: readonly { renewTls(tls: TlsFiles): void }[];
}

function watchTls(of: Renewal & { signal: AbortSignal }): void {
  const { tlsCertFile, tlsKeyFile, tlsCaFile } = of.config;
  const files = [tlsCertFile, tlsKeyFile, tlsCaFile].filter((file) => file !== undefined);
  const changed = (): void => renewTls(of);
  watchFiles({ files, everyMs: minuteMs, signal: of.signal, changed });
  tellExpired({ ...of, wallMs: Date.now() });
}

/** Links that are up stay up; whoever connects from now on is shown the new certificate. */
function renewTls({ config, log, tls, identity, ports }: Renewal): void {
  try {
    const next = readTls(config);
    identity.renew(next);
    tls.replace(next);
    const files = serverTlsOf(next);
    if (files !== undefined) for (const port of ports) port.renewTls(files);
    log.write({ level: "info", event: "tls-renewed", message: "the TLS files are taken anew" });
    tellExpired({ tls, log, wallMs: Date.now() });
  } catch (cause) {
    const { message } = HeadwaterError.from(cause);
    const event = "tls-not-renewed";
    log.write({ level: "error", event, message: `the former TLS files stay: ${message}`, cause });
  }
}

function meshAddresses(config: NodeConfig): string[] {
  const { meshAddress, meshAdvertise } = config;
  return meshAdvertise === undefined ? [meshAddress] : [meshAdvertise, meshAddress];
}
