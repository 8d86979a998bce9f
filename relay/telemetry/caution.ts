import type { DisclosureLevel } from "./disclosure/level.ts";
import { panelInstancesMin, seatsCount } from "./disclosure/panel.ts";
import type { Fleet } from "./fleet.ts";

/** What a level can not hide here, for this node's operator alone: nothing follows from it. */
export function cautionsOf(level: DisclosureLevel, project: string, fleet: Fleet): string[] {
  if (level === "OFF" || level === "EXACT") return [];
  const { childrenCount, instancesCount } = fleet;
  const cautions: string[] = [];
  if (childrenCount > 0 && childrenCount < seatsCount)
    cautions.push(
      `${project}: ${childrenCount} children report here; with fewer than ${seatsCount} a parent can not hide how many it has`,
    );
  if (level === "ROUNDED" && childrenCount === 0)
    cautions.push(
      `${project}: rounded does not hide from a patient parent how many instances there are`,
    );
  if (level === "PANEL" && childrenCount === 0 && instancesCount < panelInstancesMin)
    cautions.push(
      `${project}: ${instancesCount} instances report here; the tier for 100-or-more does not hide fewer: choose under-100`,
    );
  return cautions;
}
