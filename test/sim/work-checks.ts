import type { Hold } from "./checks.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { World } from "./world.ts";

/** Five are the most that seeds have shown: what is due is at some time, not now and now again. */
const wakesPerSecondMax = 50;

/** Between the most that a flooding parent brings about, a thousand, and two nodes that never end. */
const stepsPerSecondMax = 20_000;

interface Second {
  readonly number: number;
  wakes: number;
  steps: number;
}

/** Looks at how much nodes do. What goes round for nothing would also keep a story from its end. */
export class WorkChecks {
  readonly #world: World;
  readonly #hold: Hold;
  readonly #seconds = new Map<string, Second>();

  constructor(of: { world: World; hold: Hold }) {
    this.#world = of.world;
    this.#hold = of.hold;
  }

  woken({ name }: SimulatedNode): void {
    const second = this.#second(name);
    second.wakes++;
    this.#hold(
      "U11",
      name,
      second.wakes <= wakesPerSecondMax,
      () => `it wakes more than ${wakesPerSecondMax} times a second, and does nothing`,
    );
  }

  stepped({ name }: SimulatedNode): void {
    const second = this.#second(name);
    second.steps++;
    this.#hold(
      "U11",
      name,
      second.steps <= stepsPerSecondMax,
      () => `it does more than ${stepsPerSecondMax} things a second, and comes to no end`,
    );
  }

  #second(name: string): Second {
    const number = Math.floor(this.#world.nowMs / 1_000);
    const held = this.#seconds.get(name);
    if (held?.number === number) return held;
    const second = { number, wakes: 0, steps: 0 };
    this.#seconds.set(name, second);
    return second;
  }
}
