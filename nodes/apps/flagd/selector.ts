import type { FlagScope } from "../../../relay/flag/flag-by-release.ts";
import { instanceLengthMax, versionLengthMax } from "../../../relay/limits.ts";
import { quoted } from "../../../relay/quoted.ts";
import { HeadwaterError } from "../../error.ts";
import { checkLength, checkName } from "../request-field.ts";

/** The header in which a client says which flags it means. */
export const selectorHeader = "Flagd-Selector";

/**
 * What a client says about the flags it means; empty where it says nothing. A version and an
 * instance are those of the app, whatever its contexts say.
 */
export interface Selector extends FlagScope {
  readonly project: string;
}

/** Both of flagd's keys name a project here. */
const projectKeys = ["flagSetId", "source", "project"];

const lengthMaxOf = { version: versionLengthMax, instance: instanceLengthMax };

const selectorLengthMax = 1_000;

/**
 * Reads `horizon`, `flagSetId=horizon`, `source=horizon`, each also with `,version=2.3.0` and
 * `,instance=i-1`.
 * @throws HeadwaterError `invalid`, as flagd refuses a selector
 */
export function parseSelector(text: string): Selector {
  checkLength(selectorHeader, text, { max: selectorLengthMax });
  const selector = { project: "", version: "", instance: "" };
  for (const term of text.split(",").map((part) => part.trim())) {
    if (term === "") continue;
    const [key, value] = keyAndValue(term);
    if (key === "version" || key === "instance") {
      checkLength(`${selectorHeader}: ${key}`, value, { min: 1, max: lengthMaxOf[key] });
      selector[key] = value;
      continue;
    }
    if (!projectKeys.includes(key))
      throw invalid(`${quoted(key)} is no key; keys are flagSetId, source, version and instance`);
    checkName(`${selectorHeader}: ${key}`, value);
    if (selector.project !== "" && selector.project !== value)
      throw invalid(`it names two projects, ${selector.project} and ${value}`);
    selector.project = value;
  }
  return selector;
}

/** As flagd does, takes a text without a key for a source. */
function keyAndValue(term: string): [key: string, value: string] {
  const at = term.indexOf("=");
  return at < 0 ? ["source", term] : [term.slice(0, at).trim(), term.slice(at + 1).trim()];
}

function invalid(message: string): HeadwaterError {
  return new HeadwaterError({
    kind: "invalid",
    message: `${selectorHeader}: ${message}`,
    hint: "Write flagSetId=PROJECT, or flagSetId=PROJECT,version=VERSION.",
  });
}
