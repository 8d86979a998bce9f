import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import { documentWindowMsMax, documentWindowMsMin } from "../cadence.ts";
import { censusesOpenMax, entryKeyLengthMax, vocabularyWordsMax } from "../limits.ts";
import { isDisclosureLevel } from "./disclosure/level.ts";
import { weightLists, whole } from "./weights.ts";
import { documentKinds, latestWindow } from "./window.ts";

/** Nobody can speak of it yet. One that is held was taken while clocks were ahead, here and at the child. */
export function isToCome({ windowMs = 0, window = 0n }: Document, wallMs: number): boolean {
  return window > BigInt(latestWindow(windowMs, wallMs));
}

/** Everything a child can get wrong, by field. */
export function documentProblem(document: Document, wallMs: number): string | undefined {
  const { kind, disclosure, windowMs = 0 } = document;
  if (!(documentKinds as readonly string[]).includes(kind)) return "kind: WEIGHTS or HEALTH";
  if (!isDisclosureLevel(disclosure) || disclosure === "OFF") return "disclosure: not a level";
  if (windowMs < documentWindowMsMin || windowMs > documentWindowMsMax)
    return "window_ms: from a second to a week";
  if (isToCome(document, wallMs)) return "window: from the future";
  if (kind === "HEALTH") return healthProblem(document);
  return weightsProblem(document) ?? censusProblem(document);
}

function censusProblem({ census }: Document): string | undefined {
  if (census.length > censusesOpenMax) return `census: more than ${censusesOpenMax}`;
  const wrong = census.findIndex(({ answer = 0, expelled = 0 }) => answer > 3 || expelled > 1);
  return wrong < 0 ? undefined : `census[${wrong}].answer: 0 to 3, and expelled 0 or 1`;
}

function weightsProblem({ weights }: Document): string | undefined {
  if (weights === undefined) return "weights: missing";
  for (const list of weightLists) {
    if (weights[list].length > vocabularyWordsMax + 1) return `weights.${list}: too many words`;
    const wrong = weights[list].findIndex(({ basisPoints = 0 }) => basisPoints > whole);
    if (wrong >= 0) return `weights.${list}[${wrong}].basis_points: more than ${whole}`;
    const name = nameProblem(weights[list].map((weight) => weight.name));
    if (name !== undefined) return `weights.${list}${name}`;
  }
  return (weights.releasesOnly ?? 0) > 1 ? "weights.releases_only: 0 or 1" : undefined;
}

function healthProblem({ health }: Document): string | undefined {
  if (health === undefined) return "health: missing";
  const words = {
    releases: health.releases.map(({ release }) => release),
    flags: health.flags.map(({ flag }) => flag),
  };
  for (const [list, names] of Object.entries(words)) {
    if (names.length > vocabularyWordsMax + 1) return `health.${list}: too many words`;
    const name = nameProblem(names);
    if (name !== undefined) return `health.${list}${name}`;
  }
  if ((health.arrival?.basisPoints ?? 0) > whole)
    return `health.arrival.basis_points: more than ${whole}`;
  return undefined;
}

function nameProblem(names: readonly string[]): string | undefined {
  const said = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (name.length > entryKeyLengthMax) return `[${index}].name: longer than ${entryKeyLengthMax}`;
    if (said.has(name)) return `[${index}].name: said twice`;
    said.add(name);
  }
  return undefined;
}
