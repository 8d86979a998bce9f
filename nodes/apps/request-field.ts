import { crashSignatureMend, isCrashSignature } from "../../relay/flag/crash-name.ts";
import { isName } from "../../relay/flag/name.ts";
import { lengthProblem } from "../../relay/length-problem.ts";
import { HeadwaterError } from "../error.ts";

/** Each throws a `HeadwaterError` of kind `invalid` whose message begins with the field's name. */

export function checkName(field: string, value: string): void {
  if (isName(value)) return;
  const rule = "1 to 100 letters, digits, '.', '_' or '-', the first a letter or digit";
  throw invalid(`${field}: ${value === "" ? "missing" : quoted(value)}; a name is ${rule}`);
}

/** Lengths in UTF-16 code units. */
export function checkLength(
  field: string,
  value: string,
  bounds: { min?: number; max: number },
): void {
  checkNoProblem(lengthProblem(field, value, bounds));
}

/** Of what somebody else has looked at. */
export function checkNoProblem(problem: string | undefined): void {
  if (problem !== undefined) throw invalid(problem);
}

export function checkOneOf(field: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  const given = value === "" ? "missing" : quoted(value);
  throw invalid(`${field}: ${given}; it is one of ${allowed.join(", ")}`);
}

export function checkCrash(field: string, value: string): void {
  if (isCrashSignature(value)) return;
  throw invalid(`${field}: ${quoted(value)}; ${crashSignatureMend}`);
}

/** Names are at most 100 characters; more than that of something else says nothing. */
const quotedLengthMax = 100;

function quoted(value: string): string {
  const cut = value.length > quotedLengthMax;
  return JSON.stringify(cut ? `${value.slice(0, quotedLengthMax)}…` : value);
}

function invalid(message: string): HeadwaterError {
  return new HeadwaterError({ kind: "invalid", message });
}
