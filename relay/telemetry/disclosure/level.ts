/**
 * How much a node lets a document say. PANEL and MODAL are the two tiers of the level that operators
 * call `panel`: which of them is declared, and never follows from how many instances there are.
 */
export const disclosureLevels = ["OFF", "EXACT", "ROUNDED", "PANEL", "MODAL"] as const;

export type DisclosureLevel = (typeof disclosureLevels)[number];

export function isDisclosureLevel(text: string): text is DisclosureLevel {
  return (disclosureLevels as readonly string[]).includes(text);
}
