import { ServerProvider } from "./openfeature/server-provider.ts";
import type { ConnectOptions } from "./settings.ts";
import { connect } from "./web.ts";

export type { ConnectOptions } from "./settings.ts";

/** As in `openfeature.ts`, for edge runtimes: all settings are in the options. */
export class HeadwaterProvider extends ServerProvider {
  constructor(options: ConnectOptions = {}) {
    super(() => connect(options));
  }
}
