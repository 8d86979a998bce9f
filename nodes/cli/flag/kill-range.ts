import { compareVersions } from "../../../relay/flag/version.ts";
import {
  type Comparator,
  isEverything,
  parseRange,
  type Range,
  rangeLengthMax,
} from "../../../relay/flag/version-range.ts";

/** `*`: every build. */
export const everyBuild = "*";

/**
 * Whether a kill holds for all that another holds for. Sound, not complete: a `true` is certain, a
 * `false` may only mean that it takes more than comparing each alternative with each.
 */
export function killCovers(of: { wider: string; narrower: string }): boolean {
  if (of.wider === of.narrower) return true;
  const wider = parseKill(of.wider);
  const narrower = parseKill(of.narrower);
  if (wider === undefined || narrower === undefined) return false;
  if (isEverything(wider)) return true;
  return narrower.alternatives.every((inner) =>
    wider.alternatives.some((outer) =>
      outer.every((condition) => inner.some((known) => implies(known, condition))),
    ),
  );
}

/** Both kills as one; undefined when that would be too long for a range. */
export function joinKills(held: string, added: string): string | undefined {
  if (killCovers({ wider: held, narrower: added })) return held;
  if (killCovers({ wider: added, narrower: held })) return added;
  const joined = `${held} || ${added}`;
  return joined.length > rangeLengthMax || "problem" in parseRange(joined) ? undefined : joined;
}

function parseKill(text: string): Range | undefined {
  const range = parseRange(text === "" ? everyBuild : text);
  return "problem" in range ? undefined : range;
}

function implies(known: Comparator, condition: Comparator): boolean {
  const order = compareVersions(known.version, condition.version);
  switch (condition.operator) {
    case "=":
      return known.operator === "=" && order === 0;
    case ">=":
      return ["=", ">", ">="].includes(known.operator) && order >= 0;
    case ">":
      return order > 0
        ? ["=", ">", ">="].includes(known.operator)
        : order === 0 && known.operator === ">";
    case "<=":
      return ["=", "<", "<="].includes(known.operator) && order <= 0;
    case "<":
      return order < 0
        ? ["=", "<", "<="].includes(known.operator)
        : order === 0 && known.operator === "<";
  }
}
