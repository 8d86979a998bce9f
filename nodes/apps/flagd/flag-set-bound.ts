import { flagdJsonLengthMax } from "../../../relay/limits.ts";
import { HeadwaterError } from "../../error.ts";
import { selectorHeader } from "./selector.ts";

/** @throws HeadwaterError `limit` for a set that is longer than any client would take */
export function checkedJson(json: string): string {
  if (json.length <= flagdJsonLengthMax) return json;
  throw new HeadwaterError({
    kind: "limit",
    message: `all flags for all releases are ${json.length} characters of JSON; at most ${flagdJsonLengthMax} are sent`,
    hint: `Name the app's version in the header ${selectorHeader}: flagSetId=PROJECT,version=VERSION.`,
  });
}
