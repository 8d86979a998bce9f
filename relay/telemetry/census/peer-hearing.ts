import type { PeerMessage } from "../../../gen/headwater/v1/fanout_pb.ts";
import { peersCountMax } from "../../limits.ts";
import type { PeerEnd } from "./census-watch.ts";

interface Heard extends PeerEnd {
  readonly runMs: bigint;
  /** How many reports of the node are known of. */
  readonly reportsCount: bigint;
  readonly isGone: boolean;
}

/** Whether all that apps have reported to the other nodes of the site has been heard here. */
export class PeerHearing {
  readonly #nodes = new Map<string, Heard>();

  /** A node speaks; how it was heard before, if it was started anew since. */
  hear(message: PeerMessage, wallMs: number): PeerEnd | undefined {
    const { node, runMs } = message;
    const held = this.#nodes.get(node);
    if (held !== undefined && runMs < held.runMs) return undefined;
    const isSame = held !== undefined && held.runMs === runMs;
    const known = isSame ? held.reportsCount : 0n;
    const missed = message.reportsCount - reportsIn(message) > known;
    // Those of older versions do not count.
    const isWhole = runMs > 0n && !missed;
    const since = isSame ? held.wholeSinceMs : Number.NEGATIVE_INFINITY;
    this.#nodes.delete(node);
    this.#nodes.set(node, {
      runMs,
      reportsCount: message.reportsCount > known ? message.reportsCount : known,
      wholeSinceMs: isWhole ? since : wallMs,
      lastMs: wallMs,
      isGone: false,
    });
    const [oldest] = this.#nodes.keys();
    if (this.#nodes.size > peersCountMax && oldest !== undefined) this.#nodes.delete(oldest);
    return isSame || held?.isGone === true ? undefined : held;
  }

  /** Those that are no more among the nodes that live, once. */
  gone(present: ReadonlySet<string>): PeerEnd[] {
    return [...this.#nodes].flatMap(([node, held]) => {
      if (held.isGone || present.has(node)) return [];
      this.#nodes.set(node, { ...held, isGone: true });
      return [held];
    });
  }
}

/** Each of these counts as one, and is the last that was counted. */
function reportsIn({ body }: PeerMessage): bigint {
  return body.case === "report" || body.case === "unreported" ? 1n : 0n;
}
