import { minuteMs } from "../../relay/cadence.ts";
import type { Hold } from "./checks.ts";
import type { Link } from "./link.ts";
import type { World } from "./world.ts";

/** Dials in a minute after which somebody does not come back slowly. */
const dialsPerMinuteMax = 25;

/** Looks at how often nodes dial what fails (I13). */
export class DialChecks {
  readonly #world: World;
  readonly #hold: Hold;
  /** When each node has dialled each of its upstreams. */
  readonly #dials = new Map<string, number[]>();

  constructor(of: { world: World; hold: Hold }) {
    this.#world = of.world;
    this.#hold = of.hold;
  }

  /** The next failure of a node is its first again. */
  forget(node: string): void {
    for (const key of this.#dials.keys()) if (key.startsWith(`${node} `)) this.#dials.delete(key);
  }

  dialed(link: Link): void {
    const key = `${link.child} ${link.upstream}`;
    const since = this.#world.nowMs - minuteMs;
    const dials = [
      ...(this.#dials.get(key) ?? []).filter((atMs) => atMs > since),
      this.#world.nowMs,
    ];
    this.#dials.set(key, dials);
    this.#hold(
      "I13",
      link.child,
      dials.length <= dialsPerMinuteMax,
      () => `it dials ${link.upstream} ${dials.length} times in a minute`,
    );
  }
}
