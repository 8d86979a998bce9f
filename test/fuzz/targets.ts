import type { Target } from "./target.ts";
import { documents } from "./targets/documents.ts";
import { entries } from "./targets/entries.ts";
import { flagdFiles, flagFiles } from "./targets/flag-files.ts";
import { frames } from "./targets/frames.ts";
import { jsonOtlp, otlp } from "./targets/otlp.ts";
import { peers } from "./targets/peers.ts";
import { jsonReports, reports } from "./targets/reports.ts";
import { requests } from "./targets/requests.ts";
import { sealed } from "./targets/sealed.ts";
import { configFiles, environmentTexts, secretFiles, trustFiles } from "./targets/settings.ts";
import { records, storeFiles } from "./targets/stored.ts";
import { tokens } from "./targets/tokens.ts";
import { questions, words } from "./targets/words.ts";

/** Every door that is tried within one process. */
export const targets: readonly Target[] = [
  frames,
  requests,
  peers,
  sealed,
  entries,
  tokens,
  reports,
  jsonReports,
  otlp,
  jsonOtlp,
  documents,
  questions,
  flagFiles,
  flagdFiles,
  environmentTexts,
  configFiles,
  trustFiles,
  secretFiles,
  words,
  records,
  storeFiles,
];

export function targetOf(name: string): Target {
  const found = targets.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no target ${name}`);
  return found;
}
