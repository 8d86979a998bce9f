import { Option } from "commander";
import { type NodeSettings, nodeOptions } from "../../config/node-options.ts";
import { inTier, type PanelTier, panelTiers } from "../../config/panel-tier.ts";
import { HeadwaterError } from "../../error.ts";

/** `--tier`, of a command that names a level. */
export function tierOption(): Option {
  return new Option("--tier <TIER>", "of panel: how many instances report at this site")
    .choices(panelTiers)
    .default("under-100");
}

/**
 * The level that a command names, by the words that HEADWATER_DISCLOSURE knows.
 * @throws HeadwaterError `invalid`
 */
export function disclosureLevel(text: string, tier: PanelTier): NodeSettings["disclosure"] {
  const parsed = nodeOptions.disclosure.schema.safeParse(text.toLowerCase());
  if (parsed.success) return inTier(parsed.data, tier);
  const message = parsed.error.issues.map((issue) => issue.message).join("; ");
  throw new HeadwaterError({ kind: "invalid", message: `disclosure: ${message}` });
}
