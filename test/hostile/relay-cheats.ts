import { honest } from "./cheating-relay.ts";
import type { Cheat } from "./cheats.ts";
import { memoryOf, type Scene } from "./scene.ts";

/** What one cheat came to. */
export interface CheatOutcome {
  readonly name: string;
  /** The line with which the node below tells of it; empty when it has nothing to say. */
  readonly said: string;
  /** Milliseconds from a commit to the app at the honest site, meanwhile. */
  readonly honestMs: number;
  /** The same for an honest project on the very link that cheats. */
  readonly besideMs: number;
  /** From the relay's becoming honest to the newest value, in milliseconds. */
  readonly mendedMs: number;
  readonly memoryBytes: number | undefined;
}

/**
 * The relay cheats about one project while changes are made. The node below says what is wrong and
 * shows nothing of it; the other project of the same link, and the honest site, go on. Then the
 * relay is honest again.
 */
export async function playCheat(scene: Scene, cheat: Cheat): Promise<CheatOutcome> {
  const { relay, plant, depot } = scene;
  scene.listen();
  relay.alter = cheat.alter;
  let honestMs = 0;
  for (let n = 0; n < (cheat.changes ?? 1); n++)
    honestMs = await scene.app(depot, "horizon").sees(await scene.change("horizon"));
  for (const frame of cheat.sends?.(relay) ?? []) relay.send(frame);
  const said = cheat.says === undefined ? "" : await scene.said(cheat.says);
  if (cheat.endsLink === true) relay.alter = honest;
  const besideMs = await scene.app(plant, "oslo").sees(await scene.change("oslo"));
  const memoryBytes = memoryOf(plant);
  relay.alter = honest;
  const value = await scene.change("horizon");
  const mendedMs = await scene.app(plant, "horizon").sees(value, 60_000);
  await scene.app(depot, "horizon").sees(value);
  return { name: cheat.name, said, honestMs, besideMs, mendedMs, memoryBytes };
}
