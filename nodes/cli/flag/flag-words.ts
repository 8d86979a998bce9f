import type { Flag, Rule } from "../../../gen/headwater/v1/flag_pb.ts";
import { formatPercent } from "../../../relay/flag/percent.ts";

/** The parts of a flag that a person may change, in words; empty for what it does not have. */
export interface FlagWords {
  readonly percent: string;
  readonly versions: string;
  readonly kill: string;
  readonly note: string;
}

export function flagWords(flag: Flag): FlagWords {
  const steps = flag.rollout.map(
    ({ versions, basisPoints }) => `${formatPercent(basisPoints)} of ${rangeWords(versions)}`,
  );
  return {
    percent: steps.length === 0 ? formatPercent(flag.basisPoints) : steps.join(", "),
    versions: flag.versions,
    kill: flag.kill === undefined ? "" : rangeWords(flag.kill.versions),
    note: flag.note,
  };
}

/** A flag on one line: `25 % for >=2.3.0; killed for >=2.3.0 <2.3.5; "see …/456"`. */
export function flagSentence(flag: Flag): string {
  const { percent, versions, kill, note } = flagWords(flag);
  const parts = [versions === "" ? percent : `${percent} for ${versions}`];
  if (kill !== "") parts.push(`killed for ${kill}`);
  if (note !== "") parts.push(JSON.stringify(note));
  return parts.join("; ");
}

/** An overlay's rule on one line: `capped to 1 % for <3; "waiting for QA"`. */
export function ruleSentence(rule: Rule): string {
  const says = ruleWords(rule);
  return rule.note === "" ? says : `${says}; ${JSON.stringify(rule.note)}`;
}

/** The same without its note. */
export function ruleWords({ effect }: Rule): string {
  switch (effect.case) {
    case "cap": {
      const { basisPoints, versions } = effect.value;
      return `capped to ${formatPercent(basisPoints)}${versions === "" ? "" : ` for ${versions}`}`;
    }
    case "kill":
      return `killed for ${rangeWords(effect.value.versions)}`;
    case "pin":
      return `pinned to ${formatPercent(effect.value.basisPoints)}`;
    case undefined:
      return "not understood";
  }
}

/** What differs between two flags: `percent 5 % -> 25 %, note "" -> "see …"`. */
export function flagDifference(before: Flag, after: Flag): string {
  const was = flagWords(before);
  const is = flagWords(after);
  const parts: string[] = [];
  if (was.percent !== is.percent) parts.push(`percent ${was.percent} -> ${is.percent}`);
  if (was.versions !== is.versions)
    parts.push(`versions ${rangeWords(was.versions)} -> ${rangeWords(is.versions)}`);
  if (was.kill !== is.kill) parts.push(`kill ${was.kill || "none"} -> ${is.kill || "none"}`);
  if (was.note !== is.note)
    parts.push(`note ${JSON.stringify(was.note)} -> ${JSON.stringify(is.note)}`);
  return parts.join(", ") || "written anew, with the same meaning";
}

function rangeWords(versions: string): string {
  return versions === "" || versions.trim() === "*" ? "every build" : versions;
}
