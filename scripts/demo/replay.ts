import { IntendedFlags } from "./intended-flags.ts";
import type { RolloutHistory } from "./rollout-history.ts";
import { msText, say } from "./say.ts";
import { settled, type Tour } from "./tour.ts";

/**
 * Commits each change set at the root once the one before is seen, and measures: from the call of
 * the commit until this process has heard of it from the last instance that sees a difference.
 */
export async function replay(tour: Tour, history: RolloutHistory): Promise<void> {
  const { apps } = tour;
  const { changeSets, flags, killsCount, removalsCount, span } = history;
  say.title("A real rollout history goes through the mesh");
  say.line(`What a browser's makers did to ${flags.length} flags from ${span.join(" to ")}:`);
  say.line(
    `${changeSets.length} change sets, ${killsCount} kills and ${removalsCount} removals among them,`,
  );
  say.line(`derived from ${history.source}`);
  const tookMs = (await commitAll(tour, history)).toSorted((a, b) => a - b);
  await settled(tour, "the whole history");
  const at = (share: number): string => msText(tookMs[Math.ceil(share * tookMs.length) - 1] ?? 0);
  const count = `${tookMs.length} of ${changeSets.length}`;
  say.line(
    `${count} switched something at some of the ${apps.instances.length} apps, three hops down,`,
  );
  say.line("durable at each; from the call at the root until the last app concerned had it:");
  say.line(`  p50 ${at(0.5)}, p99 ${at(0.99)}, slowest ${at(1)}`);
}

/** Milliseconds of each change set that some instance can see. */
async function commitAll(tour: Tour, { changeSets }: RolloutHistory): Promise<number[]> {
  const { admin, apps, project } = tour;
  const intended = await IntendedFlags.read(admin, project);
  const tookMs: number[] = [];
  for (const [i, changes] of changeSets.entries()) {
    intended.apply(changes);
    const isSeen = apps.expect(intended) > 0;
    const startedMs = performance.now();
    await admin.ledgers.commit({
      ledger: { project },
      entries: [...changes.entries],
      tombstones: [...changes.tombstones],
      actor: "tour",
    });
    if (isSeen) tookMs.push((await apps.agreed(`change set ${i + 1}`)) - startedMs);
    say.progress({ done: i + 1, all: changeSets.length, what: "change sets have arrived" });
  }
  return tookMs;
}
