import type { Bench } from "../figure.ts";
import { peerEnabled } from "./peer-enabled.ts";
import { peerFanOuts } from "./peer-fan-out.ts";
import { peerHops } from "./peer-hops.ts";

/** Beside what others have made, where it is there. */
export const peerBenches: Readonly<Record<string, Bench>> = {
  ...peerFanOuts,
  "peers-hops": peerHops,
  "peers-enabled": peerEnabled,
};
