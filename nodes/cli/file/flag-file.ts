import type { Flag } from "../../../gen/headwater/v1/flag_pb.ts";
import { crashSignatureMend, isCrashSignature } from "../../../relay/flag/crash-name.ts";
import { isName } from "../../../relay/flag/name.ts";
import { entrySize } from "../../../relay/ledger/entry.ts";
import { entryBytesMax } from "../../../relay/limits.ts";
import { quoted } from "../../../relay/quoted.ts";
import { parseFingerprint } from "../../config/fingerprint.ts";
import {
  aliasEntry,
  crashEntry,
  featureEntry,
  flagEntry,
  type LedgerEntry,
  libraryEntry,
  releaseEntry,
} from "../commit/ledger-entry.ts";
import { buildNameMend, isBuildName } from "./build-name.ts";
import { flagFileKeys, readFlagFields } from "./flag-fields.ts";
import { type YamlField, type YamlPlace, YamlReader } from "./yaml-reader.ts";

/** What one or more flag files say about a project. */
export interface FlagFile {
  readonly project: string;
  readonly entries: readonly LedgerEntry[];
  /** The parts that the files have, and so say all of: an absent one says nothing. */
  readonly sections: ReadonlySet<FlagFileSection>;
}

/** The parts of a flag file, each with the kind of entry that it makes. */
export const flagFileSections = {
  flags: "flag",
  releases: "release",
  features: "feature",
  crashes: "crash",
  aliases: "alias",
  libraries: "library",
} as const;

type FlagFileSection = keyof typeof flagFileSections;

/** What a file says, or all that is wrong with it: file, line, column and a sentence each. */
export type FlagFileOutcome =
  | { readonly file: FlagFile }
  | { readonly problems: readonly string[] };

/** Reads YAML or JSON. `path` is for the problems. */
export function parseFlagFile({ path, text }: { path: string; text: string }): FlagFileOutcome {
  const reader = new YamlReader(path, text);
  // What could not be read as YAML would only be reported again, as missing.
  if (reader.problems.length > 0) return { problems: reader.problems };
  const fields = reader.fields(reader.root, flagFileKeys) ?? [];
  const place = (name: string): YamlPlace | undefined =>
    fields.find((field) => field.name === name)?.value;
  const project = readProject(reader, place("project"));
  const sections = Object.keys(flagFileSections).filter((name) => place(name) !== undefined);
  const entries = [
    ...readFlags(reader, place("flags")),
    ...readNames(reader, place("releases")).map(releaseEntry),
    ...readNames(reader, place("features")).map(featureEntry),
    ...readCrashes(reader, place("crashes")).map(crashEntry),
    ...readAliases(reader, place("aliases")),
    ...readLibraries(reader, place("libraries")),
  ];
  if (reader.problems.length > 0 || project === undefined) return { problems: reader.problems };
  return { file: { project, entries, sections: new Set(sections as FlagFileSection[]) } };
}

/** Several files as one: of one project, and nothing in two of them. */
export function mergeFlagFiles(files: readonly FlagFile[]): FlagFileOutcome {
  const projects = new Set(files.map(({ project }) => project));
  const [project, ...others] = projects;
  if (project === undefined) return { problems: ["there is no file"] };
  if (others.length > 0)
    return { problems: [`files of ${[...projects].join(" and ")}: apply one project at a time`] };
  const entries = files.flatMap((file) => file.entries);
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { key } of entries) (seen.has(key) ? twice : seen).add(key);
  if (twice.size > 0)
    return {
      problems: [...twice].map((key) => `${key.replace("/", " ")} is in more than one file`),
    };
  return {
    file: { project, entries, sections: new Set(files.flatMap((file) => [...file.sections])) },
  };
}

function readProject(reader: YamlReader, place: YamlPlace | undefined): string | undefined {
  if (place === undefined) {
    reader.report(reader.root, "project is missing; write project: NAME");
    return undefined;
  }
  const name = reader.text(place);
  return name !== undefined && isNamed(reader, place, name) ? name : undefined;
}

function readFlags(reader: YamlReader, place: YamlPlace | undefined): LedgerEntry[] {
  if (place === undefined) return [];
  return (reader.fields(place) ?? []).flatMap(({ name, key, value }) => {
    const flag = readFlagFields(reader, name, value);
    if (!isNamed(reader, key, name) || flag === undefined) return [];
    return sized(reader, value, flag);
  });
}

function sized(reader: YamlReader, place: YamlPlace, flag: Flag): LedgerEntry[] {
  const entry = flagEntry(flag);
  if (entrySize(entry) <= entryBytesMax) return [entry];
  reader.report(place, `takes ${entrySize(entry)} bytes; at most ${entryBytesMax} are allowed`);
  return [];
}

type IsGood = (reader: YamlReader, place: YamlPlace, text: string) => boolean;

function readCrashes(reader: YamlReader, place: YamlPlace | undefined): string[] {
  return readNames(reader, place, (_, item, text) => {
    if (!isCrashSignature(text)) reader.report(item, crashSignatureMend);
    return isCrashSignature(text);
  });
}

function readNames(
  reader: YamlReader,
  place: YamlPlace | undefined,
  isGood: IsGood = isNamed,
): string[] {
  if (place === undefined) return [];
  const names = new Set<string>();
  for (const item of reader.items(place) ?? []) {
    const name = reader.text(item);
    if (name === undefined || !isGood(reader, item, name)) continue;
    if (names.has(name)) reader.report(item, `${name} is there twice`);
    names.add(name);
  }
  return [...names];
}

function readAliases(reader: YamlReader, place: YamlPlace | undefined): LedgerEntry[] {
  if (place === undefined) return [];
  return (reader.fields(place) ?? []).flatMap((field) => {
    const release = reader.text(field.value);
    if (release === undefined || !isNamed(reader, field.value, release)) return [];
    return isVersionName(reader, field) ? [aliasEntry({ name: field.name, release })] : [];
  });
}

/** A project each, with the fingerprint of its authority as `headwater init` prints it. */
function readLibraries(reader: YamlReader, place: YamlPlace | undefined): LedgerEntry[] {
  if (place === undefined) return [];
  return (reader.fields(place) ?? []).flatMap((field) => {
    const text = reader.text(field.value);
    if (text === undefined || !isNamed(reader, field.key, field.name)) return [];
    const authority = parseFingerprint(text);
    if (!("problem" in authority)) return [libraryEntry({ project: field.name, authority })];
    reader.report(field.value, authority.problem);
    return [];
  });
}

function isVersionName(reader: YamlReader, { name, key }: YamlField): boolean {
  if (isBuildName(name)) return true;
  reader.report(key, `is no version; ${buildNameMend}`);
  return false;
}

function isNamed(reader: YamlReader, place: YamlPlace, name: string): boolean {
  if (isName(name)) return true;
  const mend =
    "write 1 to 100 letters, digits, dots, dashes and underscores, a letter or digit first";
  reader.report(place, `${quoted(name)} is no name; ${mend}`);
  return false;
}
