/** What an operator may do to a rollout. */
export const rolloutActions = ["PAUSE", "RESUME", "ABORT"] as const;

export type RolloutAction = (typeof rolloutActions)[number];

export function isRolloutAction(text: string): text is RolloutAction {
  return (rolloutActions as readonly string[]).includes(text);
}
