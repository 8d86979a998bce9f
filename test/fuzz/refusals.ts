import { HeadwaterError } from "../../nodes/error.ts";
import type { Effect } from "../../relay/effect.ts";
import type { Outcome, Refusal } from "../../relay/refusal.ts";
import { Broken, type Verdict } from "./target.ts";

const kinds = ["invalid", "unknown", "conflict", "forbidden", "limit", "unavailable"];

/** People read it in one line of a log. */
const messageLengthMax = 2_000;

/** What an outcome comes to; a refusal has to have a kind, name a field and be short. */
export function verdictOf(outcome: Outcome<unknown>): Verdict {
  if (outcome.ok) return "accepted";
  assertRefusal(outcome.refusal);
  return "refused";
}

function assertRefusal({ kind, message, hint = "" }: Refusal): void {
  if (!kinds.includes(kind)) throw new Broken(`a refusal of the kind ${kind}`);
  assertSentence("a refusal", message);
  assertSentence("a hint", hint === "" ? "-" : hint);
  if ((kind === "invalid" || kind === "limit") && !/^[^:\n]{1,300}: /.test(message))
    throw new Broken(`names no field: ${message.slice(0, 100)}`);
}

/** Anything else than a `HeadwaterError` of a kind that somebody outside may cause is a finding. */
export function refusedBy(thrown: unknown): Verdict {
  if (!(thrown instanceof HeadwaterError) || thrown.kind === "internal") throw thrown;
  assertSentence("an error", thrown.message);
  return "refused";
}

/** Every line of the log is short, whatever somebody calls himself. */
export function assertEffects(effects: readonly Effect[]): void {
  for (const effect of effects) {
    if (effect.kind === "log") assertSentence("a line of the log", effect.entry.message);
    if (effect.kind === "answer") verdictOf(effect.outcome);
  }
}

export function assertSentence(what: string, text: string): void {
  if (text === "") throw new Broken(`${what} that is empty`);
  if (text.length > messageLengthMax)
    throw new Broken(`${what} of ${text.length} characters: ${text.slice(0, 60)}`);
}
