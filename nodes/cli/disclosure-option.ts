import { type NodeSettings, nodeOptions } from "../config/node-options.ts";
import { HeadwaterError } from "../error.ts";

/**
 * The level that a command names, by the words that HEADWATER_DISCLOSURE knows.
 * @throws HeadwaterError `invalid`
 */
export function disclosureLevel(text: string): NodeSettings["disclosure"] {
  const parsed = nodeOptions.disclosure.schema.safeParse(text.toLowerCase());
  if (parsed.success) return parsed.data;
  const message = parsed.error.issues.map((issue) => issue.message).join("; ");
  throw new HeadwaterError({ kind: "invalid", message: `disclosure: ${message}` });
}
