import { measureReach } from "../sim/scale/kill-reach.ts";
import type { Bench } from "./figure.ts";

const vendors = 50;
const instancesPerSite = 100;
const few = 100_000;
const many = 1_000_000;

/** What a kill costs the root as the fleet below its vendors grows; simulated. */
export const rootCost: Bench = async (tell) => {
  const bytesBelowRoot = (instances: number): number => {
    tell(`a kill goes to ${instances} simulated instances`);
    return measureReach({ vendors, sites: instances / instancesPerSite }).rootBytes;
  };
  return [
    {
      name: `a kill at the root, ${vendors} vendors, ${many} instances: bytes sent`,
      unit: "B",
      samples: [bytesBelowRoot(many)],
      beside: { name: `of ${few}`, samples: [bytesBelowRoot(few)] },
      ratioMax: 1,
    },
  ];
};
