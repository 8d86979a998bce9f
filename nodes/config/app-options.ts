import { z } from "zod";
import { instanceLengthMax, versionLengthMax } from "../../relay/limits.ts";
import { choiceValue, listValue, nameValue, type Options, urlValue } from "./option.ts";

/** What an app is told; the SDK reads it, nodes and commands only know the names. */
export interface AppSettings {
  readonly url: readonly string[];
  readonly project: string | undefined;
  readonly version: string | undefined;
  readonly instance: string | undefined;
  readonly telemetry: "on" | "off";
}

export const appOptions: Options<AppSettings> = {
  url: {
    variable: "HEADWATER_URL",
    value: "URL,…",
    sentence: "the node to use; several, separated by commas, are tried in order",
    default: "http://127.0.0.1:7700",
    example: "http://node-1:7700,http://node-2:7700",
    schema: listValue(urlValue(["http", "https"]), Number.POSITIVE_INFINITY),
  },
  project: {
    variable: "HEADWATER_PROJECT",
    value: "NAME",
    sentence: "the project that this app is",
    otherwise: "given in the code",
    example: "horizon",
    schema: nameValue,
  },
  version: {
    variable: "HEADWATER_VERSION",
    value: "VERSION",
    sentence: "the version that this app is",
    otherwise: "given in the code",
    example: "2.3.0",
    schema: z.string().max(versionLengthMax),
  },
  instance: {
    variable: "HEADWATER_INSTANCE",
    value: "ID",
    sentence:
      "which running copy this is; keep it across restarts, or a crash loop re-rolls its flags",
    otherwise: "kept in the cache file, else random",
    example: "web-1",
    schema: z.string().max(instanceLengthMax),
  },
  telemetry: {
    variable: "HEADWATER_TELEMETRY",
    value: "SWITCH",
    sentence: "off: report nothing, even to the local node; DO_NOT_TRACK=1 does the same",
    default: "on",
    example: "off",
    schema: choiceValue({ words: ["on", "off"] }),
  },
};
