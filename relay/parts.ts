import type { Holdings } from "./holdings.ts";
import type { Downlinks } from "./link/downlinks.ts";
import type { Peers } from "./link/peers.ts";
import type { Uplinks } from "./link/uplinks.ts";
import type { NodeSettings } from "./settings.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";
import type { Children } from "./trust/children.ts";
import type { SigningKey } from "./trust/key.ts";

/** What a node is put together from. */
export interface NodeParts {
  readonly settings: NodeSettings;
  readonly siteKey: SigningKey;
  readonly holdings: Holdings;
  readonly children: Children;
  readonly downlinks: Downlinks;
  readonly uplinks: Uplinks;
  readonly peers: Peers;
  readonly telemetry: Telemetry;
}
