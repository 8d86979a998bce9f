import type { Census } from "../../../gen/headwater/v1/flag_pb.ts";
import { censusLifeMs } from "../../cadence.ts";
import { isName } from "../../flag/name.ts";
import { compareVersions, parseVersion } from "../../flag/version.ts";
import { censusesCountMax, censusesOpenMax, censusesYearMax, noteLengthMax } from "../../limits.ts";
import { quoted } from "../../quoted.ts";
import type { CensusWindows } from "./census-windows.ts";

/** What a question may be about. */
const censusKinds = ["FEATURE", "FLAG", "BELOW"] as const;

type CensusState = "TO_COME" | "OPEN" | "CLOSED";

/** The name of a question's entry: the same may be asked again, and counts again. */
export function censusName({ kind, name, openedMs }: Pick<Census, "kind" | "name" | "openedMs">) {
  return `${kind.toLowerCase()}/${name}/${openedMs}`;
}

/** What makes it no question at all; undefined for one. */
export function censusFormProblem(name: string, census: Census): string | undefined {
  if (!(censusKinds as readonly string[]).includes(census.kind))
    return `kind: none of ${censusKinds.join(", ")}`;
  if (!isName(census.name)) return `name: ${quoted(census.name)} is none`;
  if (census.kind === "BELOW" && parseVersion(census.name) === undefined)
    return `name: ${census.name} is no version, so nothing is older`;
  if (census.slot >= censusesOpenMax) return `slot: 0 to ${censusesOpenMax - 1}`;
  const latest = BigInt(Number.MAX_SAFE_INTEGER) / 2n;
  if (census.openedMs === 0n || census.openedMs > latest) return "opened_ms: no time";
  if (census.windowMs < 1_000n || census.windowMs > BigInt(censusLifeMs))
    return "window_ms: from a second to a year";
  if (census.note.length > noteLengthMax) return `note: longer than ${noteLengthMax}`;
  return name === censusName(census) ? undefined : "key: not what the question is";
}

export function windowsOf({ openedMs, windowMs }: Census): CensusWindows {
  return { openedMs: Number(openedMs), windowMs: Number(windowMs) };
}

/** When it ends: when it was closed, or a year after its opening. */
export function censusEndMs({ openedMs, closedMs }: Census): number {
  const latestMs = Number(openedMs) + censusLifeMs;
  return closedMs === 0n ? latestMs : Math.min(latestMs, Number(closedMs));
}

export function censusState(census: Census, wallMs: number): CensusState {
  if (wallMs >= censusEndMs(census)) return "CLOSED";
  return wallMs < Number(census.openedMs) ? "TO_COME" : "OPEN";
}

/**
 * Why a question goes past what a project may ask; undefined for one within. Whoever answers asks
 * this as well: a project that asks for too much gets no answer to what is past it.
 *
 * @param all every question of the project, this one included
 */
export function budgetProblem(
  census: Census,
  all: readonly Census[],
  of: { wallMs: number; windowMsMin: number },
): string | undefined {
  if (all.length > censusesCountMax)
    return `the project has ${all.length} questions, and ${censusesCountMax} are allowed`;
  if (Number(census.windowMs) < of.windowMsMin)
    return `its windows are shorter than HEADWATER_CENSUS_WINDOW allows here`;
  const before = all.filter((one) => one.openedMs < census.openedMs);
  if (all.some((one) => one !== census && one.openedMs === census.openedMs))
    return "another was opened at the same moment";
  const same = before.find((one) => isAbout(one, census) && censusEndMs(one) > census.openedMs);
  if (same !== undefined)
    return `the same is asked by ${censusName(same)}, which was not closed when it was opened`;
  const year = before.filter((one) => Number(census.openedMs - one.openedMs) < censusLifeMs);
  if (year.length >= censusesYearMax)
    return `it is one more than the ${censusesYearMax} that may be asked in a year`;
  const open = before.filter((one) => censusEndMs(one) > of.wallMs);
  if (open.length >= censusesOpenMax)
    return `it is one more than the ${censusesOpenMax} that may be open at once`;
  if (open.some(({ slot }) => slot === census.slot))
    return `its place, ${census.slot}, is another's that is open`;
  return undefined;
}

/**
 * Whether both ask the same. An answer tells when something was used by no more than a window; of several
 * about one thing, opened one after the other, it would tell by a part of one.
 */
function isAbout(one: Census, other: Census): boolean {
  if (one.kind !== other.kind) return false;
  const [version, wanted] = [parseVersion(one.name), parseVersion(other.name)];
  const isOlder = one.kind === "BELOW" && version !== undefined && wanted !== undefined;
  return isOlder ? compareVersions(version, wanted) === 0 : one.name === other.name;
}
