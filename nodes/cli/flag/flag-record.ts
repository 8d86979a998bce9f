import type { Flag } from "../../../gen/headwater/v1/flag_pb.ts";
import { formatFingerprint } from "../../config/fingerprint.ts";
import { readLibrary } from "../commit/ledger-entry.ts";
import { aliasesOf, flagsOf, type LedgerView, namesOf } from "../commit/ledger-view.ts";
import { everyBuild } from "./kill-range.ts";

/** A flag as a flag file has it. */
export interface FlagRecord {
  readonly percent?: number;
  readonly rollout?: readonly { readonly versions: string; readonly percent: number }[];
  readonly versions?: string;
  readonly kill?: string;
  readonly note?: string;
}

export function recordOf(flag: Flag): FlagRecord {
  const rollout = flag.rollout.map(({ versions, basisPoints }) => ({
    versions: versions || everyBuild,
    percent: basisPoints / 100,
  }));
  return {
    ...(rollout.length === 0 ? { percent: flag.basisPoints / 100 } : { rollout }),
    ...(flag.versions === "" ? {} : { versions: flag.versions }),
    ...(flag.kill === undefined ? {} : { kill: flag.kill.versions || everyBuild }),
    ...(flag.note === "" ? {} : { note: flag.note }),
  };
}

/** A whole ledger as a flag file; flags that this version can not read are left out. */
export function fileOf(view: LedgerView): object {
  const flags = [...flagsOf(view)].flatMap(([name, flag]) =>
    flag === undefined ? [] : [[name, recordOf(flag)] as const],
  );
  const aliases = [...aliasesOf(view)];
  const crashes = namesOf(view, "crash");
  const libraries = librariesOf(view);
  return {
    project: view.ledger.project,
    flags: Object.fromEntries(flags),
    releases: namesOf(view, "release"),
    features: namesOf(view, "feature"),
    ...(crashes.length === 0 ? {} : { crashes }),
    ...(aliases.length === 0 ? {} : { aliases: Object.fromEntries(aliases) }),
    ...(libraries.length === 0 ? {} : { libraries: Object.fromEntries(libraries) }),
  };
}

/** The fingerprint of each library's authority; those that this version can not read are left out. */
function librariesOf(view: LedgerView): [string, string][] {
  return namesOf(view, "library").flatMap((name): [string, string][] => {
    const authority = readLibrary(view.entries.get(`library/${name}`) ?? new Uint8Array(0));
    return authority === undefined ? [] : [[name, formatFingerprint(authority)]];
  });
}
