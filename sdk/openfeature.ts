import { connect } from "./index.ts";
import { ServerProvider } from "./openfeature/server-provider.ts";
import type { ConnectOptions } from "./settings.ts";

export type { ConnectOptions } from "./settings.ts";

/** Headwater's flags for the server SDK of OpenFeature; settings as for `connect`. */
export class HeadwaterProvider extends ServerProvider {
  constructor(options: ConnectOptions = {}) {
    super(() => connect(options));
  }
}
