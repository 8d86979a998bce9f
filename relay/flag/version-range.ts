import { quoted } from "../quoted.ts";
import { compareVersions, parseVersion, type Version } from "./version.ts";

/** Room for every range that a person would write, and a bound on what a flag may cost to judge. */
export const rangeLengthMax = 200;

/** Comparators in one range, over all of its alternatives. */
const rangeComparatorsMax = 20;

/** One condition on a version. */
export interface Comparator {
  readonly operator: Operator;
  readonly version: Version;
}

/** A version is in a range if every comparator of at least one alternative holds for it. */
export interface Range {
  /** Never empty; an alternative without comparators is `*`. */
  readonly alternatives: readonly (readonly Comparator[])[];
}

/** Why a text is no range. */
export interface RangeProblem {
  /** Counts UTF-16 units before the fault, from 0. */
  readonly position: number;
  readonly expected: string;
  /** The whole sentence, for people; it counts characters from 1. */
  readonly problem: string;
}

/**
 * Reads comparators (`= > >= < <=` and a version; a bare version means `=`) joined by space (and) or
 * `||` (or), or `*`. Pre-releases take part in the order like any version: `2.4.0-rc.1` is in
 * `<2.4.0`, and `>=2.4.0-0` holds every pre-release of 2.4.0.
 */
export function parseRange(text: string): Range | RangeProblem {
  if (text.length > rangeLengthMax) {
    const expected = `at most ${rangeLengthMax} characters`;
    return problemAt({ text, position: rangeLengthMax, expected });
  }
  const alternatives: Comparator[][] = [];
  let position = 0;
  let termsCount = 0;
  for (const part of text.split("||")) {
    const terms = [...part.matchAll(TERM_PATTERN)].map((match) => termOf(match, position));
    const parsed = parseAlternative({ text, terms, end: position + part.length, termsCount });
    if ("problem" in parsed) return parsed;
    alternatives.push(parsed);
    termsCount += terms.length;
    position += part.length + "||".length;
  }
  return { alternatives };
}

/** Whether a version is in a range. */
export function isInRange(version: Version, range: Range): boolean {
  return range.alternatives.some((comparators) =>
    comparators.every((comparator) => holds(comparator, version)),
  );
}

/** Whether `*` is an alternative: such a range also holds releases whose names are no versions. */
export function isEverything(range: Range): boolean {
  return range.alternatives.some((comparators) => comparators.length === 0);
}

type Operator = "=" | ">" | ">=" | "<" | "<=";

/** A comparator as it stands in the text. */
interface Term {
  readonly position: number;
  readonly operator: Operator;
  readonly versionText: string;
  readonly isBare: boolean;
}

const TERM_PATTERN = /(>=|<=|[=<>])\s*([^\s=<>]\S*)?|\S+/g;

const ANY = "*";

function termOf(match: RegExpExecArray, partPosition: number): Term {
  const [whole, operator, operand = ""] = match;
  const isBare = operator === undefined;
  const versionText = isBare ? whole : operand;
  const position = partPosition + match.index + whole.length - versionText.length;
  return { position, operator: (operator ?? "=") as Operator, versionText, isBare };
}

interface AlternativeText {
  readonly text: string;
  readonly terms: readonly Term[];
  readonly end: number;
  /** What the alternatives before this one already hold. */
  readonly termsCount: number;
}

function parseAlternative(part: AlternativeText): Comparator[] | RangeProblem {
  const { text, terms, end, termsCount } = part;
  if (terms.length === 0) return problemAt({ text, position: end, expected: "a comparator or *" });
  const excess = terms[rangeComparatorsMax - termsCount];
  if (excess !== undefined) {
    const expected = `at most ${rangeComparatorsMax} comparators`;
    return problemAt({ text, position: excess.position, expected });
  }
  const comparators: Comparator[] = [];
  for (const { position, operator, versionText, isBare } of terms) {
    if (isBare && versionText === ANY) continue;
    const version = parseVersion(versionText);
    if (version === undefined) {
      return problemAt({ text, position, expected: expectedFor(versionText, isBare) });
    }
    comparators.push({ operator, version });
  }
  return comparators;
}

function expectedFor(versionText: string, isBare: boolean): string {
  const wildcard = WILDCARD_PATTERN.exec(versionText);
  if (isBare && wildcard !== null) {
    const [, before = "", last = ""] = wildcard;
    return `">=${before}${last}-0 <${before}${Number(last) + 1}-0"`;
  }
  const version = "a version such as 2.3.0";
  return isBare ? `${version}, after = > >= < <= or alone, or *` : version;
}

/** `90.*` and `2.3.x`, as other systems write a whole series. */
const WILDCARD_PATTERN = /^((?:[0-9]+\.)*)([0-9]{1,15})\.[*xX]$/;

interface Fault {
  readonly text: string;
  readonly position: number;
  readonly expected: string;
}

function problemAt({ text, position, expected }: Fault): RangeProblem {
  const rest = text.slice(position).trim();
  const found = rest === "" ? "the end" : quoted(rest, 20);
  const problem = `expected ${expected} at character ${position + 1}, found ${found}`;
  return { position, expected, problem };
}

function holds({ operator, version }: Comparator, candidate: Version): boolean {
  const order = compareVersions(candidate, version);
  switch (operator) {
    case "=":
      return order === 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
  }
}
