import { children } from "./children.ts";
import { fanOut } from "./fan-out.ts";
import type { Bench } from "./figure.ts";
import { hops } from "./hops.ts";
import { resume } from "./resume.ts";

/** What goes over the network, each beside the least that it could cost there. */
export const networkBenches: Readonly<Record<string, Bench>> = {
  "fan-out": fanOut([100, 1_000, 5_000]),
  children: children([100, 500]),
  hops,
  resume,
};
