import { splitEntryKey } from "../../../relay/ledger/entry.ts";
import { HeadwaterError } from "../../error.ts";
import type { AdminClient } from "../admin-client.ts";
import { readFlag } from "../commit/ledger-entry.ts";
import type { Change } from "../commit/plan.ts";

/**
 * The node refuses the same; said here it is also seen by who only looks.
 * @throws HeadwaterError `conflict` when a percentage is a running rollout's own
 */
export async function assertNotOwned(
  admin: AdminClient,
  project: string,
  changes: readonly Change[],
): Promise<void> {
  const changed = changes.filter(changesShare).map(({ key }) => splitEntryKey(key).name);
  if (changed.length === 0) return;
  const { rollouts } = await admin.rollouts.listRollouts({ project });
  const owned = rollouts.filter(({ state }) => state === "RUNNING" || state === "PAUSED");
  const names = owned.map(({ flag }) => flag).filter((flag) => changed.includes(flag));
  if (names.length === 0) return;
  throw new HeadwaterError({
    kind: "conflict",
    message: `a rollout owns the percentage of ${names.join(", ")}`,
    hint: `Leave it to the rollout, or end that: \`headwater rollout abort ${project}/${names[0]}\`.`,
  });
}

/** A flag that is new has no rollout. */
function changesShare({ key, before, after }: Change): boolean {
  if (splitEntryKey(key).kind !== "flag" || before === undefined) return false;
  return after === undefined || sharesOf(before) !== sharesOf(after);
}

function sharesOf(value: Uint8Array): string {
  const { basisPoints, rollout = [] } = readFlag(value) ?? {};
  return JSON.stringify([basisPoints, rollout.map((step) => [step.versions, step.basisPoints])]);
}
