/** How much a node lets a document say. */
export const disclosureLevels = ["OFF", "EXACT", "ROUNDED"] as const;

export type DisclosureLevel = (typeof disclosureLevels)[number];

export function isDisclosureLevel(text: string): text is DisclosureLevel {
  return (disclosureLevels as readonly string[]).includes(text);
}
