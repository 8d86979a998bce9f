import { documentWindowMsMax, documentWindowMsMin } from "../../relay/cadence.ts";
import type { LogLevel } from "../../relay/effect.ts";
import { corsOriginsMax, upstreamsCountMax } from "../../relay/limits.ts";
import type { DisclosureLevel } from "../../relay/telemetry/disclosure/level.ts";
import type { OnBad } from "../../relay/telemetry/on-bad.ts";
import type { NatsAddress } from "./nats-address.ts";
import {
  choiceValue,
  dialValue,
  durationValue,
  listenValue,
  listValue,
  meshListenValue,
  nameValue,
  natsValue,
  type Options,
  originValue,
  pathValue,
} from "./option.ts";
import { type PanelTier, panelTiers } from "./panel-tier.ts";

/** What one node is told; undefined where nothing was set and there is no fixed default. */
export interface NodeSettings {
  readonly name: string | undefined;
  readonly dataDir: string;
  /** `host:port` to listen on, like the two below; port 0 is any that is free. */
  readonly appsAddress: string;
  /** Whose pages may call where apps connect; `*` is every origin. */
  readonly appsCorsOrigins: readonly string[];
  readonly meshAddress: string;
  /** `host:port` for join tokens; undefined: where the node listens for nodes. */
  readonly meshAdvertise: string | undefined;
  readonly adminAddress: string;
  /** `host:port` each, in the order in which to try them. */
  readonly upstreams: readonly string[];
  readonly joinFile: string | undefined;
  readonly tlsCertFile: string | undefined;
  readonly tlsKeyFile: string | undefined;
  /** Whoever shows a certificate of these authorities is a child. */
  readonly tlsCaFile: string | undefined;
  readonly trustFile: string | undefined;
  readonly site: string | undefined;
  /** Undefined: the node keeps its own in the data directory. */
  readonly siteSecretFile: string | undefined;
  /** Undefined: a site of one node. */
  readonly natsUrl: NatsAddress | undefined;
  /** A credentials file or an NKey seed; read anew at each connection. */
  readonly natsCredentialsFile: string | undefined;
  /** Undefined: the authorities that the system trusts. */
  readonly natsCaFile: string | undefined;
  readonly onBad: OnBad;
  /** DO_NOT_TRACK turns it off as well; `readConfig` sees to that. */
  readonly telemetry: "ON" | "OFF";
  /** MODAL for both tiers of panel; `panelTier` says which. */
  readonly disclosure: DisclosureLevel;
  readonly panelTier: PanelTier;
  readonly windowMs: number;
  readonly healthWindowMs: number;
  readonly censusWindowMsMin: number;
  readonly logLevel: LogLevel;
}

/** Of documents, as a parent takes them. */
const documentWindow = { min: documentWindowMsMin, max: documentWindowMsMax };

/** They travel as 32 bits of milliseconds. */
const censusWindow = { min: 1, max: 2 ** 32 - 1 };

export const nodeOptions: Options<NodeSettings> = {
  name: {
    variable: "HEADWATER_NAME",
    value: "NAME",
    sentence: "this node's name within its site",
    otherwise: "the host name, kept from the first start on",
    example: "node-1",
    schema: nameValue,
  },
  dataDir: {
    variable: "HEADWATER_DATA_DIR",
    value: "DIR",
    sentence: "durable state, kept to its owner (mode 0700)",
    default: "./data",
    example: "/var/lib/headwater",
    schema: pathValue,
  },
  appsAddress: {
    variable: "HEADWATER_APPS_ADDR",
    value: "HOST:PORT",
    sentence: "where apps connect; there is no login, so bind it to what apps can reach",
    default: "127.0.0.1:7700",
    example: "0.0.0.0:7700",
    schema: listenValue,
  },
  appsCorsOrigins: {
    variable: "HEADWATER_APPS_CORS_ORIGINS",
    value: "ORIGIN,…",
    sentence: "pages of these origins may ask for flags and report; * is every origin",
    default: "",
    otherwise: "none",
    example: "https://app.example.org",
    schema: listValue(originValue, corsOriginsMax),
  },
  meshAddress: {
    variable: "HEADWATER_MESH_ADDR",
    value: "HOST:PORT",
    sentence: "where downstream nodes connect: gRPC over TLS",
    default: "127.0.0.1:7701",
    example: "0.0.0.0:7701",
    schema: meshListenValue,
  },
  meshAdvertise: {
    variable: "HEADWATER_MESH_ADVERTISE",
    value: "HOST:PORT",
    sentence: "the address that join tokens name",
    otherwise: "the same as HEADWATER_MESH_ADDR",
    example: "flags.example.org:7701",
    schema: dialValue,
  },
  adminAddress: {
    variable: "HEADWATER_ADMIN_ADDR",
    value: "HOST:PORT",
    sentence:
      "where operators connect: commands, dashboard, /metrics, /healthz and /readyz; beyond " +
      "loopback only over TLS",
    default: "127.0.0.1:7702",
    example: "127.0.0.1:7702",
    schema: listenValue,
  },
  upstreams: {
    variable: "HEADWATER_UPSTREAMS",
    value: "HOST:PORT,…",
    sentence: "parents, separated by commas; each serves the projects that it has",
    default: "",
    otherwise: "none, so it is a root",
    example: "flags.example.org:7701,flags.example.net:7701",
    schema: listValue(dialValue, upstreamsCountMax),
  },
  joinFile: {
    variable: "HEADWATER_JOIN_FILE",
    value: "FILE",
    sentence:
      "what `headwater child add` printed; makes upstreams, certificates and trust unnecessary",
    otherwise: "none",
    example: "/etc/headwater/join.token",
    schema: pathValue,
  },
  tlsCertFile: {
    variable: "HEADWATER_TLS_CERT_FILE",
    value: "FILE",
    sentence: "this node's certificate, PEM, with its chain",
    otherwise: "one of the site's own",
    example: "/etc/headwater/tls.crt",
    schema: pathValue,
  },
  tlsKeyFile: {
    variable: "HEADWATER_TLS_KEY_FILE",
    value: "FILE",
    sentence: "the certificate's private key, PEM",
    otherwise: "one of the site's own",
    example: "/etc/headwater/tls.key",
    schema: pathValue,
  },
  tlsCaFile: {
    variable: "HEADWATER_TLS_CA_FILE",
    value: "FILE",
    sentence: "authorities to trust, PEM; when set, client certificates are asked for",
    otherwise: "none",
    example: "/etc/headwater/ca.crt",
    schema: pathValue,
  },
  trustFile: {
    variable: "HEADWATER_TRUST_FILE",
    value: "FILE",
    sentence: 'pinned authorities, TOML: horizon = "sha256:…"; wins over what a parent says',
    otherwise: "none",
    example: "/etc/headwater/trust.toml",
    schema: pathValue,
  },
  site: {
    variable: "HEADWATER_SITE",
    value: "NAME",
    sentence: "the site, to its parent",
    otherwise: "the node's name, kept from the first start on",
    example: "acme-berlin",
    schema: nameValue,
  },
  siteSecretFile: {
    variable: "HEADWATER_SITE_SECRET_FILE",
    value: "FILE",
    sentence: "one durable secret for all nodes of a site",
    otherwise: "made in the data directory at first start",
    example: "/etc/headwater/site.secret",
    schema: pathValue,
  },
  natsUrl: {
    variable: "HEADWATER_NATS_URL",
    value: "URL",
    sentence:
      "nodes of a site share flags and reports over NATS; one with upstreams publishes, one " +
      "without follows",
    otherwise: "none, so it is the site's only node",
    example: "nats://127.0.0.1:4222",
    schema: natsValue,
  },
  natsCredentialsFile: {
    variable: "HEADWATER_NATS_CREDENTIALS_FILE",
    value: "FILE",
    sentence: "how this node logs in to NATS: a .creds file, or the seed of an NKey",
    otherwise: "what HEADWATER_NATS_URL says",
    example: "/etc/headwater/nats.creds",
    schema: pathValue,
  },
  natsCaFile: {
    variable: "HEADWATER_NATS_CA_FILE",
    value: "FILE",
    sentence: "authorities to trust for the certificate of NATS, PEM",
    otherwise: "those that Node trusts",
    example: "/etc/headwater/nats-ca.crt",
    schema: pathValue,
  },
  onBad: {
    variable: "HEADWATER_ON_BAD",
    value: "WHAT",
    sentence: "what a bad verdict does here: report, or kill in this site's own overlay",
    default: "report",
    example: "kill",
    schema: choiceValue({ words: ["report", "kill"] }).transform((word): OnBad => onBad[word]),
  },
  telemetry: {
    variable: "HEADWATER_TELEMETRY",
    value: "SWITCH",
    sentence:
      "off: take no reports and no documents, make none, judge nothing; DO_NOT_TRACK=1 does the same",
    default: "on",
    example: "off",
    schema: choiceValue({ words: ["on", "off"] }).transform((word) => switches[word]),
  },
  disclosure: {
    variable: "HEADWATER_DISCLOSURE",
    value: "LEVEL",
    sentence: "how much telemetry says upstream: off, exact, rounded or panel",
    default: "off",
    example: "panel",
    schema: choiceValue({ words: ["off", "exact", "rounded", "panel"] }).transform(
      (level): DisclosureLevel => disclosureLevels[level],
    ),
  },
  panelTier: {
    variable: "HEADWATER_PANEL_TIER",
    value: "TIER",
    sentence:
      "what panel may count on: 100-or-more instances at this site, else it says only the most " +
      "common release",
    default: "under-100",
    example: "100-or-more",
    schema: choiceValue({ words: panelTiers }),
  },
  windowMs: {
    variable: "HEADWATER_WINDOW",
    value: "DURATION",
    sentence: "the window of weights documents",
    default: "24h",
    example: "10s",
    schema: durationValue(documentWindow),
  },
  healthWindowMs: {
    variable: "HEADWATER_HEALTH_WINDOW",
    value: "DURATION",
    sentence: "the window of health documents",
    default: "1h",
    example: "5s",
    schema: durationValue(documentWindow),
  },
  censusWindowMsMin: {
    variable: "HEADWATER_CENSUS_WINDOW",
    value: "DURATION",
    sentence: "the shortest window of a census that is asked or answered here",
    default: "720h",
    example: "20s",
    schema: durationValue(censusWindow),
  },
  logLevel: {
    variable: "HEADWATER_LOG_LEVEL",
    value: "LEVEL",
    sentence: "the least that is logged: debug, info, warn or error",
    default: "info",
    example: "debug",
    schema: choiceValue({ words: ["debug", "info", "warn", "error"] }),
  },
};

const switches = { on: "ON", off: "OFF" } as const;
const onBad = { report: "REPORT", kill: "KILL" } as const;

const disclosureLevels = {
  off: "OFF",
  exact: "EXACT",
  rounded: "ROUNDED",
  panel: "MODAL",
} as const;
