import type { Client } from "./client.ts";
import { connectOn } from "./connect.ts";
import { nodeRuntime } from "./node-runtime.ts";
import type { ConnectOptions } from "./settings.ts";

export type { Reason } from "../relay/flag/effective-flag.ts";
export type { Health } from "./app-report.ts";
export type { AskOptions, Client, ClientEvents, FlagDetails, FlagState } from "./client.ts";
export type { Freshness } from "./freshness.ts";
export type { ConnectOptions } from "./settings.ts";

/**
 * Connects an app to its flags. Waits for a node at most two seconds, or `waitMs`; without one it
 * answers from the cache file if given one, else the defaults, and keeps trying.
 * @throws TypeError for settings that can not work, such as a bad project name; for nothing else
 */
export function connect(options: ConnectOptions = {}): Promise<Client> {
  return connectOn(nodeRuntime, options);
}
