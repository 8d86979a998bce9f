import type { Client } from "./client.ts";
import { connectOn } from "./connect.ts";
import type { ConnectOptions } from "./settings.ts";
import { webRuntime } from "./web-runtime.ts";

/** As in `index.ts`, for browsers and edge runtimes: all settings are in the options. */
export function connect(options: ConnectOptions = {}): Promise<Client> {
  return connectOn(webRuntime, options);
}
