import { parse, TomlError } from "smol-toml";
import { shortened } from "../../relay/quoted.ts";
import type { Texts } from "./settings.ts";

/** The texts of a configuration file, or what is wrong with it: a sentence each. */
export type ConfigFileOutcome =
  | { readonly texts: Texts }
  | { readonly problems: readonly string[] };

/**
 * Reads TOML whose keys are the flags of `headwater node` without their dashes: `data-dir = "/var"`,
 * `upstreams = ["a:7701", "b:7701"]`. What the values mean is for `readConfig` to say.
 */
export function parseConfigFile(toml: string): ConfigFileOutcome {
  const table = parseToml(toml);
  if (typeof table === "string") return { problems: [table] };
  const texts: [key: string, text: string][] = [];
  const problems: string[] = [];
  for (const [key, value] of Object.entries(table)) {
    const text = textOf(value);
    if (text === undefined) problems.push(`${key}: write a text, a number or a list of them`);
    else texts.push([key, text]);
  }
  // Assigning to a key that is __proto__ would leave it out.
  return problems.length > 0
    ? { problems: problems.map((problem) => shortened(problem)) }
    : { texts: Object.fromEntries(texts) };
}

/** A table, or the sentence that says where it is none. */
export function parseToml(toml: string): Record<string, unknown> | string {
  try {
    return parse(toml);
  } catch (thrown) {
    if (!(thrown instanceof TomlError)) throw thrown;
    const reason = thrown.message.replace(/^Invalid TOML document: /, "").split("\n")[0] ?? "";
    return shortened(`line ${thrown.line}, column ${thrown.column}: ${reason}`);
  }
}

function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) {
    const texts = value.map(textOf);
    return texts.includes(undefined) ? undefined : texts.join(",");
  }
  const isScalar = ["string", "number", "boolean"].includes(typeof value);
  return isScalar ? String(value) : undefined;
}
