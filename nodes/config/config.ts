import { isName } from "../../relay/flag/name.ts";
import { quoted, shortened } from "../../relay/quoted.ts";
import { type Address, isEveryInterface, isLoopbackAddress, parseAddress } from "./address.ts";
import { type NodeSettings, nodeOptions } from "./node-options.ts";
import { readSettings, type Sources, unknownKeys, unknownVariables } from "./settings.ts";

/** How one node is to run: every setting read, every default that is fixed filled in. */
export interface NodeConfig extends NodeSettings {
  /** The node's name where none is set and none is kept. */
  readonly hostName: string;
}

/** A configuration, or all that is wrong with it: a sentence each, with the mend. */
export type ConfigOutcome =
  | { readonly config: NodeConfig }
  | { readonly problems: readonly string[] };

export function readConfig(sources: Sources & { readonly hostName: string }): ConfigOutcome {
  const { values, problems: unread } = readSettings(nodeOptions, sources);
  const { hostName } = sources;
  const name = values.name ?? hostName;
  const problems = [
    ...unknownVariables(sources.env),
    ...unknownKeys(sources.file ?? {}),
    ...unread,
    ...contradictions(values),
    ...(isName(name) ? [] : [`HEADWATER_NAME: the host name ${quoted(name)} is no name: set it`]),
  ];
  // Without a problem no value is missing, as each has a default or may be undefined.
  const telemetry = mayTrack(sources.env) ? values.telemetry : "OFF";
  return problems.length > 0
    ? { problems: problems.map((problem) => shortened(problem)) }
    : { config: { ...values, hostName, telemetry } as NodeConfig };
}

/** https://consoledonottrack.com; whoever writes anything but 0 wants less, not more. */
function mayTrack(env: Sources["env"]): boolean {
  return ["", "0", "false"].includes((env["DO_NOT_TRACK"] ?? "").toLowerCase());
}

function contradictions(values: Partial<NodeSettings>): string[] {
  const problems: string[] = [];
  const { tlsCertFile, tlsKeyFile, meshAddress, meshAdvertise } = values;
  if (tlsCertFile !== undefined && tlsKeyFile === undefined)
    problems.push("HEADWATER_TLS_KEY_FILE: missing: set it to the key of HEADWATER_TLS_CERT_FILE");
  if (tlsKeyFile !== undefined && tlsCertFile === undefined)
    problems.push(
      "HEADWATER_TLS_CERT_FILE: missing: set it to the certificate of HEADWATER_TLS_KEY_FILE",
    );
  if (values.natsUrl === undefined)
    for (const key of ["natsCredentialsFile", "natsCaFile"] as const)
      if (values[key] !== undefined)
        problems.push(
          `${nodeOptions[key].variable}: there is no NATS to use it for: set HEADWATER_NATS_URL`,
        );
  const mesh = listener("HEADWATER_MESH_ADDR", meshAddress);
  if (meshAdvertise === undefined && mesh.some(({ address }) => isEveryInterface(address)))
    problems.push(
      `HEADWATER_MESH_ADVERTISE: missing: nobody can dial ${meshAddress}, set it to the address ` +
        "that downstream nodes reach",
    );
  return [...problems, ...bareAdmin(values), ...clashes(values)];
}

/** A token that travels in the clear is everybody's. */
function bareAdmin({ adminAddress, tlsCertFile }: Partial<NodeSettings>): string[] {
  const isBare = tlsCertFile === undefined && !isLoopbackAddress(adminAddress ?? "localhost:0");
  if (!isBare) return [];
  return [
    `HEADWATER_ADMIN_ADDR: ${adminAddress} is reached from other machines, and tokens would go ` +
      "there in the clear: set HEADWATER_TLS_CERT_FILE and HEADWATER_TLS_KEY_FILE, or listen on " +
      "127.0.0.1",
  ];
}

interface NamedListener {
  readonly variable: string;
  readonly address: Address;
}

/** Nothing for an address that has a problem, which is reported already. */
function listener(variable: string, text: string | undefined): NamedListener[] {
  const address = text === undefined ? undefined : parseAddress(text);
  return address === undefined || "problem" in address ? [] : [{ variable, address }];
}

/** Two listeners on one port; every interface clashes with each of them. */
function clashes({ appsAddress, meshAddress, adminAddress }: Partial<NodeSettings>): string[] {
  const listeners = [
    ...listener("HEADWATER_APPS_ADDR", appsAddress),
    ...listener("HEADWATER_MESH_ADDR", meshAddress),
    ...listener("HEADWATER_ADMIN_ADDR", adminAddress),
  ];
  return listeners.flatMap(({ variable, address }, at) =>
    listeners
      .slice(0, at)
      .filter((other) => clash(address, other.address))
      .map((other) => `${variable}: the same port as ${other.variable}: choose another`),
  );
}

function clash(left: Address, right: Address): boolean {
  if (left.port !== right.port || left.port === 0) return false;
  return left.host === right.host || isEveryInterface(left) || isEveryInterface(right);
}
