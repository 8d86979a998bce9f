import type { DisclosureLevel } from "../../relay/telemetry/disclosure/level.ts";

/** What an operator declares about a site: how many instances report there. */
export const panelTiers = ["under-100", "100-or-more"] as const;

export type PanelTier = (typeof panelTiers)[number];

/** `panel` says no more than the most common release, unless the larger tier was declared. */
export function inTier(level: DisclosureLevel, tier: PanelTier): DisclosureLevel {
  return level === "MODAL" && tier === "100-or-more" ? "PANEL" : level;
}

/** A level as operators know it. */
export function levelWords(level: string): string {
  if (level === "MODAL") return "panel (under-100)";
  return level === "PANEL" ? "panel (100-or-more)" : level.toLowerCase();
}
