import { calm, type Faults } from "./faults.ts";
import type { PromiseId } from "./promises.ts";
import { runStory } from "./run.ts";
import type { Action, Story } from "./story.ts";

/**
 * The shortest story that it finds in which the same promise is broken: without faults of the
 * world, one kind at a time, then without actions, in ever smaller pieces (delta debugging,
 * A. Zeller, 2002). Each try is a run of its own, so that it stops after `triesMax`.
 */
export function shrink(of: { story: Story; promise: PromiseId; triesMax: number }): Story {
  let best = of.story;
  let triesCount = 0;
  const attempt = (story: Story): boolean => {
    if (triesCount >= of.triesMax) return false;
    triesCount++;
    if (!breaks(story, of.promise)) return false;
    best = story;
    return true;
  };
  for (const simpler of withoutExtras(best)) attempt({ ...best, ...simpler(best) });
  for (let before = -1; before !== best.actions.length && triesCount < of.triesMax; ) {
    before = best.actions.length;
    shrinkActions(() => best, attempt);
  }
  return best;
}

/** A story that does not even run shows nothing. */
function breaks(story: Story, promise: PromiseId): boolean {
  try {
    return runStory(story).broken?.promise === promise;
  } catch {
    return false;
  }
}

function withoutExtras(story: Story): ((best: Story) => Partial<Story>)[] {
  const knobs = (Object.keys(calm) as (keyof Faults)[]).filter(
    (name) => story.faults[name] !== calm[name],
  );
  return [
    () => ({ faults: calm }),
    ...knobs.map(
      (name) =>
        (best: Story): Partial<Story> => ({
          faults: { ...best.faults, [name]: calm[name] },
        }),
    ),
    () => ({ overlay: "none" }),
    () => ({ disclosure: "OFF" }),
    () => ({ layout: "chain" }),
  ];
}

function shrinkActions(now: () => Story, attempt: (story: Story) => boolean): void {
  for (let size = Math.ceil(now().actions.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < now().actions.length; ) {
      const actions: Action[] = now().actions.toSpliced(at, size);
      if (!attempt({ ...now(), actions })) at += size;
    }
  }
}
