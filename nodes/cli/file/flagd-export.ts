import type { Flag } from "../../../gen/headwater/v1/flag_pb.ts";
import { HASH_VERSION } from "../../../relay/flag/bucket.ts";
import type { EffectiveFlag } from "../../../relay/flag/effective-flag.ts";
import type { FlagByRelease } from "../../../relay/flag/flag-by-release.ts";
import { flagdFlag } from "../../../relay/flag/flagd-json.ts";
import { parseVersion, type Version } from "../../../relay/flag/version.ts";
import { isEverything, isInRange, parseRange } from "../../../relay/flag/version-range.ts";
import { aliasesOf, flagsOf, type LedgerView, namesOf } from "../commit/ledger-view.ts";
import { everyBuild } from "../flag/kill-range.ts";

/** Flags for another system, and what of them it has no words for: a JSON path and a sentence each. */
export interface Carried {
  readonly file: object;
  readonly lost: readonly string[];
}

/** A project's own flags as https://flagd.dev/schema/v0/flags.json has them. */
export function flagdExport(view: LedgerView): Carried {
  const builds = releasedBuilds(view);
  const flags: [string, object][] = [];
  const lost: string[] = [];
  for (const [name, flag] of flagsOf(view)) {
    const at = `$.flags[${JSON.stringify(name)}]`;
    if (flag === undefined) {
      lost.push(`${at}: the flag is not understood by this version`);
      continue;
    }
    if (flag.kill !== undefined)
      lost.push(`${at}.kill: off for ${flag.kill.versions || everyBuild}, and no more a kill`);
    const metadata = flag.note === "" ? {} : { metadata: { note: flag.note } };
    flags.push([name, { ...flagdFlag(byRelease(flag, builds)), ...metadata }]);
  }
  for (const feature of namesOf(view, "feature"))
    lost.push(`$.features: ${feature} is no flag, and flagd knows nothing else`);
  const schema = "https://flagd.dev/schema/v0/flags.json";
  const metadata = { flagSetId: view.ledger.project };
  return { file: { $schema: schema, metadata, flags: Object.fromEntries(flags) }, lost };
}

interface ReleasedBuild {
  readonly version: Version | undefined;
  readonly names: ReadonlySet<string>;
}

function releasedBuilds(view: LedgerView): ReleasedBuild[] {
  const releases = namesOf(view, "release");
  // A name that is a release's own is no other's alias.
  const aliases = [...aliasesOf(view)].filter(([alias]) => !releases.includes(alias));
  return releases.map((release) => ({
    version: parseVersion(release),
    names: new Set([release, ...aliases.flatMap(([alias, of]) => (of === release ? alias : []))]),
  }));
}

function byRelease(flag: Flag, builds: readonly ReleasedBuild[]): FlagByRelease {
  const shared = (basisPoints: number): EffectiveFlag => ({
    name: flag.name,
    basisPoints: flag.hash === HASH_VERSION ? basisPoints : 0,
    hash: HASH_VERSION,
    reason: "ROLLOUT",
  });
  const releases = builds.map(({ version, names }) => ({
    flag: shared(shareOf(flag, version)),
    versions: names,
  }));
  return { name: flag.name, unknown: shared(shareOf(flag, undefined)), releases };
}

/** A release whose name is no version is outside every range and inside every kill, as in the fold. */
function shareOf(flag: Flag, version: Version | undefined): number {
  const isKilled =
    flag.kill !== undefined && (version === undefined || isIn(flag.kill.versions, version));
  if (isKilled || !isIn(flag.versions, version)) return 0;
  if (flag.rollout.length === 0) return flag.basisPoints;
  return flag.rollout.find(({ versions }) => isIn(versions, version))?.basisPoints ?? 0;
}

function isIn(text: string, version: Version | undefined): boolean {
  const range = parseRange(text === "" ? everyBuild : text);
  if ("problem" in range) return false;
  return isEverything(range) || (version !== undefined && isInRange(version, range));
}
