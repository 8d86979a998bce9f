import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../relay/random.ts";
import type { Fault } from "../chaos/rounds.ts";
import { killed, onLine, paused } from "../chaos/site-rounds.ts";
import type { SoakMesh } from "./soak-mesh.ts";

const calmMsMin = 10_000;
const calmMsMax = 30_000;
const faultMsMin = 1_000;
const faultMsMax = 12_000;

/**
 * What goes wrong now and then. Two nodes are killed again and again: what they hold is not looked
 * at, what the others hold of them is.
 */
export class Troubles {
  readonly counts: Record<string, number> = {};
  readonly #faults: readonly Fault[];
  readonly #random: Random;

  constructor(of: { mesh: SoakMesh; random: Random }) {
    this.#faults = faultsOf(of.mesh);
    this.#random = of.random;
  }

  /** One after the other until it is told to stop; then all is as it should be. */
  async run(signal: AbortSignal): Promise<void> {
    while (await calm(this.#between(calmMsMin, calmMsMax), signal)) {
      const fault = this.#faults[this.#random.below(this.#faults.length)];
      if (fault === undefined) return;
      this.counts[fault.name] = (this.counts[fault.name] ?? 0) + 1;
      await fault.begin();
      await calm(this.#between(faultMsMin, faultMsMax), signal);
      await fault.end();
    }
  }

  #between(min: number, max: number): number {
    return min + this.#random.below(max - min);
  }
}

function faultsOf({ rootLine, vendorLine, nats, site, mill }: SoakMesh): Fault[] {
  const [first, second, third] = site;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error("a site of three nodes is needed");
  return [
    killed("kill a node of the site", second.node),
    killed("kill a child of the root", mill),
    paused("pause a child of the root", mill),
    onLine("cut the root off", rootLine, "cut"),
    onLine("stall the root's line", rootLine, "stall"),
    onLine("cut the vendor off", vendorLine, "cut"),
    onLine("garble the vendor's line", vendorLine, "garble"),
    onLine("cut a node off NATS", first.natsLine, "cut"),
    onLine("cut a node off that has nothing but NATS", third.natsLine, "cut"),
    { name: "kill NATS", begin: () => nats.signal("SIGKILL"), end: () => nats.restart() },
  ];
}

/** Whether it was not told to stop meanwhile. */
async function calm(ms: number, signal: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal }).catch(() => {});
  return !signal.aborted;
}
