import { children } from "./children.ts";
import { deaf } from "./deaf.ts";
import { fanOut } from "./fan-out.ts";
import type { Bench } from "./figure.ts";
import { hops } from "./hops.ts";
import { kill } from "./kill.ts";
import { largeCommit } from "./large-commit.ts";
import { resume } from "./resume.ts";
import { storm } from "./storm.ts";

/** What goes over the network, each beside the least that it could cost there. */
export const networkBenches: Readonly<Record<string, Bench>> = {
  "fan-out": fanOut([100, 1_000, 5_000]),
  children: children([100, 500]),
  hops,
  resume,
  storm: storm([
    { apps: 1_000, nodes: 100 },
    { apps: 5_000, nodes: 500 },
  ]),
  deaf,
  kill: kill({ apps: 300, nodes: 50 }),
  "large-commit": largeCommit,
};
