import {
  ErrorCode,
  type EvaluationContext,
  type FlagMetadata,
  StandardResolutionReasons as Reasons,
  type ResolutionDetails,
  type ResolutionReason,
} from "@openfeature/core";
import type { Reason } from "../../relay/flag/effective-flag.ts";
import { flagdContext } from "../../relay/flag/flagd-answer.ts";
import type { Client, FlagDetails } from "../client.ts";

/** What OpenFeature asks about a flag. */
export interface Question<T> {
  readonly flag: string;
  readonly fallback: T;
  /** `instance`, else `targetingKey`, is which copy of the app asks; else it is this one. */
  readonly context: EvaluationContext;
}

/** Whether the flag is on. What is not known of it is answered with the fallback, and says so. */
export function answer(
  client: Client | undefined,
  { flag, fallback, context }: Question<boolean>,
): ResolutionDetails<boolean> {
  if (client === undefined) return refused(fallback, notConnected);
  const instance = flagdContext(context).key || client.instance;
  const details = client.details(flag, { default: fallback, instance });
  const problem = problemOf(details);
  if (problem !== undefined) return refused(fallback, problem);
  const { enabled } = details;
  return {
    value: enabled,
    variant: enabled ? "on" : "off",
    reason: openFeatureReasons[details.reason],
    flagMetadata: metadataOf(details),
  };
}

/** A flag that is no text, number or object: all of ours are on or off. */
export function answerOfOtherType<T>(
  client: Client | undefined,
  question: Question<T>,
): ResolutionDetails<T> {
  const { errorCode, errorMessage } = answer(client, { ...question, fallback: false });
  return refused(question.fallback, {
    errorCode: errorCode ?? ErrorCode.TYPE_MISMATCH,
    errorMessage: errorMessage ?? `${question.flag} is boolean, as all flags of Headwater are`,
  });
}

interface Problem {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string;
}

const notConnected: Problem = {
  errorCode: ErrorCode.PROVIDER_NOT_READY,
  errorMessage: "not connected to a node",
};

function problemOf({ name, reason }: FlagDetails): Problem | undefined {
  if (reason === "EMPTY") {
    return {
      errorCode: ErrorCode.PROVIDER_NOT_READY,
      errorMessage: "no node has sent flags yet",
    };
  }
  if (reason !== "UNKNOWN_FLAG") return undefined;
  return { errorCode: ErrorCode.FLAG_NOT_FOUND, errorMessage: `there is no flag ${name}` };
}

function refused<T>(value: T, problem: Problem): ResolutionDetails<T> {
  return { value, reason: Reasons.ERROR, ...problem };
}

function metadataOf({ reason, freshness }: FlagDetails): FlagMetadata {
  return { why: reason, freshness };
}

const openFeatureReasons: Readonly<Record<Reason, ResolutionReason>> = {
  ROLLOUT: Reasons.SPLIT,
  CAPPED: Reasons.SPLIT,
  PINNED: Reasons.SPLIT,
  FULL: Reasons.STATIC,
  OFF: Reasons.STATIC,
  KILLED: Reasons.DISABLED,
  OUT_OF_RANGE: Reasons.TARGETING_MATCH,
  NOT_UNDERSTOOD: Reasons.DISABLED,
  UNKNOWN_FLAG: Reasons.ERROR,
  EMPTY: Reasons.ERROR,
};
