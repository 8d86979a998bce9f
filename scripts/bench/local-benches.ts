import { coldStart } from "./cold-start.ts";
import { commit } from "./commit.ts";
import { enabled } from "./enabled.ts";
import type { Bench } from "./figure.ts";
import { reports } from "./reports.ts";
import { rootCost } from "./root-cost.ts";
import { tracked } from "./tracked.ts";

/** Those of one node and of one app. */
export const localBenches: Readonly<Record<string, Bench>> = {
  tracked,
  reports,
  enabled,
  commit,
  "cold-start": coldStart,
  "root-cost": rootCost,
};
