import { isName } from "../../relay/flag/name.ts";
import { type Address, formatAddress, isEveryInterface } from "./address.ts";
import { type NodeSettings, nodeOptions } from "./node-options.ts";
import { readSettings, type Sources, unknownKeys, unknownVariables } from "./settings.ts";

/** How one node is to run: every setting read, every default filled in. */
export interface NodeConfig extends NodeSettings {
  readonly name: string;
  readonly site: string;
}

/** A configuration, or all that is wrong with it: a sentence each, with the mend. */
export type ConfigOutcome =
  | { readonly config: NodeConfig }
  | { readonly problems: readonly string[] };

/** `hostName` is the node's name where none is set. */
export function readConfig(sources: Sources & { readonly hostName: string }): ConfigOutcome {
  const { values, problems: unread } = readSettings(nodeOptions, sources);
  const name = values.name ?? sources.hostName;
  const site = values.site ?? name;
  const problems = [
    ...unknownVariables(sources.env),
    ...unknownKeys(sources.file ?? {}),
    ...unread,
    ...contradictions(values),
    ...(isName(name)
      ? []
      : [`HEADWATER_NAME: the host name ${JSON.stringify(name)} is no name: set it`]),
  ];
  // Without a problem no value is missing, as each has a default or may be undefined.
  return problems.length > 0 ? { problems } : { config: { ...values, name, site } as NodeConfig };
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
  if (meshAddress !== undefined && isEveryInterface(meshAddress) && meshAdvertise === undefined)
    problems.push(
      `HEADWATER_MESH_ADVERTISE: missing: nobody can dial ${formatAddress(meshAddress)}, set it to ` +
        "the address that downstream nodes reach",
    );
  return [...problems, ...clashes(values)];
}

/** Two listeners on one port; every interface clashes with each of them. */
function clashes({ appsAddress, meshAddress, adminAddress }: Partial<NodeSettings>): string[] {
  const listeners: [string, Address | undefined][] = [
    ["HEADWATER_APPS_ADDR", appsAddress],
    ["HEADWATER_MESH_ADDR", meshAddress],
    ["HEADWATER_ADMIN_ADDR", adminAddress],
  ];
  return listeners.flatMap(([variable, address], at) =>
    listeners
      .slice(0, at)
      .filter(([, other]) => address !== undefined && other !== undefined && clash(address, other))
      .map(([other]) => `${variable}: the same port as ${other}: choose another`),
  );
}

function clash(left: Address, right: Address): boolean {
  if (left.port !== right.port || left.port === 0) return false;
  return left.host === right.host || isEveryInterface(left) || isEveryInterface(right);
}
