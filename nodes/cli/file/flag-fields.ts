import type { Flag } from "../../../gen/headwater/v1/flag_pb.ts";
import { parsePercent } from "../../../relay/flag/percent.ts";
import { parseRange } from "../../../relay/flag/version-range.ts";
import { noteLengthMax } from "../../../relay/limits.ts";
import { flagOf } from "../commit/ledger-entry.ts";
import { everyBuild } from "../flag/kill-range.ts";
import type { YamlField, YamlPlace, YamlReader } from "./yaml-reader.ts";

/** The keys at the top of a flag file. */
export const flagFileKeys = [
  "project",
  "flags",
  "releases",
  "features",
  "crashes",
  "aliases",
  "libraries",
] as const;

/** The keys of one flag. */
export const flagKeys = ["percent", "rollout", "versions", "kill", "note"] as const;

/** The keys of one step of a rollout. */
export const rolloutKeys = ["versions", "percent"] as const;

/** A flag as its file says it, all of it; undefined when some of it could not be read. */
export function readFlagFields(
  reader: YamlReader,
  name: string,
  place: YamlPlace,
): Flag | undefined {
  const problemsCount = reader.problems.length;
  const fields = reader.fields(place, flagKeys);
  if (fields === undefined) return undefined;
  const at = placesOf(fields);
  if ((at.percent === undefined) === (at.rollout === undefined))
    reader.report(place, "needs a percent or a rollout, one of the two");
  const flag = flagOf({
    name,
    basisPoints: readPercent(reader, at.percent),
    rollout: readRollout(reader, at.rollout),
    versions: readRange(reader, at.versions),
    kill: readKill(reader, at.kill),
    note: readNote(reader, at.note),
  });
  return reader.problems.length === problemsCount ? flag : undefined;
}

type Place = YamlPlace | undefined;

function placesOf(fields: readonly YamlField[]): {
  readonly [key in (typeof flagKeys)[number]]: Place;
} {
  const place = (name: string): Place => fields.find((field) => field.name === name)?.value;
  return {
    percent: place("percent"),
    rollout: place("rollout"),
    versions: place("versions"),
    kill: place("kill"),
    note: place("note"),
  };
}

/** As the file has it, because a number has lost what was written by the time it is one. */
function readPercent(reader: YamlReader, place: Place): number {
  const scalar = place === undefined ? undefined : reader.scalar(place);
  if (place === undefined || scalar === undefined) return 0;
  const { value, source } = scalar;
  const basisPoints = parsePercent(typeof value === "string" ? value : source);
  if (typeof basisPoints === "number") return basisPoints;
  reader.report(place, basisPoints.problem);
  return 0;
}

function readRollout(
  reader: YamlReader,
  place: Place,
): { versions: string; basisPoints: number }[] {
  if (place === undefined) return [];
  const items = reader.items(place) ?? [];
  if (items.length === 0) reader.report(place, "needs at least one step with versions and percent");
  return items.map((item) => {
    const fields = reader.fields(item, rolloutKeys) ?? [];
    const at = placesOf(fields);
    if (at.versions === undefined || at.percent === undefined)
      reader.report(item, "needs versions and percent");
    return {
      versions: readRange(reader, at.versions),
      basisPoints: readPercent(reader, at.percent),
    };
  });
}

/** Empty is every build, and so is `*`. */
function readRange(reader: YamlReader, place: Place): string {
  const text = place === undefined ? undefined : reader.text(place);
  if (place === undefined || text === undefined) return "";
  const range = parseRange(text);
  if ("problem" in range) reader.report(place, range.problem);
  return text.trim() === everyBuild ? "" : text;
}

/** A range, or `true` for every build; `false` is no kill. */
function readKill(reader: YamlReader, place: Place): string | undefined {
  const scalar = place === undefined ? undefined : reader.scalar(place);
  if (place === undefined || scalar === undefined || scalar.value === false) return undefined;
  return scalar.value === true ? everyBuild : readRange(reader, place) || everyBuild;
}

function readNote(reader: YamlReader, place: Place): string {
  const note = place === undefined ? undefined : reader.text(place);
  if (place === undefined || note === undefined) return "";
  if (note.length > noteLengthMax)
    reader.report(place, `has ${note.length} characters; at most ${noteLengthMax} are allowed`);
  return note;
}
