import type { NodeConfig } from "./config/config.ts";
import { HeadwaterError } from "./error.ts";
import type { Log } from "./log.ts";
import type { Store } from "./store/store.ts";

/** What others know a node by. */
export interface NodeNames {
  readonly name: string;
  readonly site: string;
}

/**
 * What the settings say, else what the data directory has kept, else the name of the host: so a node
 * that is restored elsewhere, or whose container gets another host name, stays who it was.
 */
export function nodeNames(of: {
  config: Pick<NodeConfig, "name" | "site" | "hostName">;
  store: Store;
  log: Log;
}): NodeNames {
  const { config, store, log } = of;
  const kept = { name: keptName(store, "name"), site: keptName(store, "site") };
  const name = config.name ?? kept.name ?? config.hostName;
  const site = config.site ?? kept.site ?? name;
  if (name !== kept.name || site !== kept.site) keep(of, { name, site });
  const named = config.name ?? config.hostName;
  // At a first start they would be others.
  if (name !== named || site !== (config.site ?? named)) {
    const message =
      `it is node ${name} of site ${site} as before, on the host ${config.hostName}: ` +
      "HEADWATER_NAME renames the node, and HEADWATER_SITE the site";
    log.write({ level: "info", event: "name-kept", message });
  }
  return { name, site };
}

function keptName(store: Store, key: keyof NodeNames): string | undefined {
  const value = store.get("node", key);
  return value && Buffer.from(value).toString();
}

/** A disk that takes no writes now is no reason not to serve what it holds. */
function keep({ store, log }: { store: Store; log: Log }, names: NodeNames): void {
  try {
    store.write(
      (["name", "site"] as const).map((key) => ({
        bucket: "node",
        key,
        value: Buffer.from(names[key]),
      })),
    );
  } catch (cause) {
    const { kind, message } = HeadwaterError.from(cause);
    if (kind !== "unavailable") throw cause;
    log.write({ level: "error", event: "name-not-kept", message });
  }
}
