import type { Effect } from "../../../relay/effect.ts";
import type { Ledger } from "../../../relay/ledger/ledger.ts";
import type { LedgerId } from "../../../relay/ledger/position.ts";
import type { Served } from "../../../relay/link/downlink.ts";
import { Downlinks } from "../../../relay/link/downlinks.ts";
import { LedgerFrames } from "../../../relay/link/ledger-frames.ts";
import { Authority, epochMs } from "../authority.ts";
import type { Mirror } from "./mirror.ts";

const authority = new Authority();

export const nodeId: Uint8Array = new TextEncoder().encode("parent..");

/** The parent's end, with a ledger that is written there, or two. */
export class Parent {
  readonly ledger: Ledger;
  readonly second: Ledger | undefined;
  readonly links: Downlinks;
  hops: Uint8Array[] = [nodeId];
  wallMs = epochMs;
  readonly #frames: ReadonlyMap<Ledger, LedgerFrames>;

  constructor(ledger: Ledger, second?: Ledger) {
    this.ledger = ledger;
    this.second = second;
    const ledgers = second === undefined ? [ledger] : [ledger, second];
    this.#frames = new Map(ledgers.map((one) => [one, new LedgerFrames(one)]));
    this.links = new Downlinks({ site: "parent", node: "p1", nodeId }, () => this.#served());
  }

  open(id: number, child: Mirror, node: string = "node"): Uint8Array[] {
    const request = child.request({ node });
    return sendsOf(this.links.open({ id, site: "site", request, monoMs: 0 })).get(id) ?? [];
  }

  commit(n: number): void {
    const value = Buffer.from([n, this.ledger.position?.seq ?? 0]);
    authority.commit(
      this.ledger,
      { [`flag/${n % 7}`]: n % 5 === 0 ? undefined : value },
      this.wallMs,
    );
  }

  /** Always a change, and always another. */
  change(): void {
    const { seq } = this.ledger.position!;
    authority.commit(this.ledger, { "flag/a": Buffer.from(String(seq)) });
  }

  beat(): void {
    const beat = authority.writer.beat(this.ledger, this.wallMs);
    if (beat !== undefined) this.ledger.beat = beat;
  }

  pump(): Map<number, Uint8Array[]> {
    return sendsOf(this.links.pumpAll(0));
  }

  flush(id: number, frames: readonly Uint8Array[]): Uint8Array[] {
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    const flushed = { link: id, framesCount: frames.length, bytes };
    return sendsOf(this.links.flushed(flushed, 0)).get(id) ?? [];
  }

  /** Flushes until nothing more comes; all of it. */
  flushAll(id: number, frames: readonly Uint8Array[]): Uint8Array[] {
    const all = [...frames];
    for (let next = this.flush(id, frames); next.length > 0; next = this.flush(id, next))
      all.push(...next);
    return all;
  }

  #served(): ReadonlyMap<LedgerId, Served> {
    return new Map(
      [...this.#frames].map(([ledger, frames]) => [ledger.id, { ledger, frames, hops: this.hops }]),
    );
  }
}

/** Frames by link. */
export function sendsOf(effects: readonly Effect[]): Map<number, Uint8Array[]> {
  const sends = new Map<number, Uint8Array[]>();
  for (const effect of effects) {
    if (effect.kind !== "send") continue;
    sends.set(effect.link, [...(sends.get(effect.link) ?? []), effect.frame]);
  }
  return sends;
}
