import { expelledAfterMs } from "./census-windows.ts";

/** What a deployment can say of a feature, release or flag; the later word is the stronger one. */
export const censusAnswers = ["UNUSED", "UNKNOWN", "USED"] as const;

export type CensusAnswer = (typeof censusAnswers)[number];

/** The stronger of two: `used` before `unknown` before `unused`. */
export function joinAnswer(one: CensusAnswer, other: CensusAnswer): CensusAnswer {
  return censusAnswers.indexOf(one) > censusAnswers.indexOf(other) ? one : other;
}

/** What an enrolled child has last said. */
export interface CensusChild {
  /** The window that it answered, and how. */
  readonly window: number;
  readonly answer: CensusAnswer;
  readonly heardMs: number;
}

/**
 * A parent's answer: no child is passed over in silence. One that has not answered for this window
 * makes it `unknown`; one that was silent for 90 days without having been able to tell is expelled,
 * and the answer says that there was one. With nobody enrolled nothing can be known.
 */
export function joinChildren(
  children: readonly CensusChild[],
  of: { window: number; wallMs: number },
): { answer: CensusAnswer; isExpelled: boolean } {
  const heard = children.filter(({ window, answer, heardMs }) => {
    const hasAnswered = window === of.window && answer !== "UNKNOWN";
    return hasAnswered || of.wallMs - heardMs <= expelledAfterMs;
  });
  const isExpelled = heard.length < children.length;
  if (heard.length === 0) return { answer: "UNKNOWN", isExpelled };
  const answers = heard.map(({ window, answer }) => (window === of.window ? answer : "UNKNOWN"));
  return { answer: answers.reduce(joinAnswer), isExpelled };
}
