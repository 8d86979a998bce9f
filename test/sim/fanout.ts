import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  PeerAskSchema,
  type PeerMessage,
  PeerMessageSchema,
} from "../../gen/headwater/v1/fanout_pb.ts";
import type { PeerAskBody } from "../../relay/effect.ts";
import { toHex } from "../../relay/trust/key.ts";
import type { Host, SimulatedNode } from "./simulated-node.ts";

/** What NATS is to the nodes of one site: it loses, doubles and delays, and may be gone. */
export class Fanout {
  readonly #host: Host;
  /** Sites whose NATS is down. */
  readonly #down = new Set<string>();
  /** NATS keeps the order of what one sender says. */
  readonly #readyAtMs = new Map<string, number>();

  constructor(host: Host) {
    this.#host = host;
  }

  peersOf(simulated: SimulatedNode): SimulatedNode[] {
    const secret = toHex(simulated.settings.siteSecret);
    return [...this.#host.nodes.values()].filter(
      (one) => one !== simulated && toHex(one.settings.siteSecret) === secret,
    );
  }

  /** A node that starts finds its NATS there, or not. */
  started(simulated: SimulatedNode): void {
    if (!simulated.isOnFanout) return;
    const connected = !this.#down.has(simulated.settings.site);
    const problem = connected ? "" : "NATS can not be reached";
    this.#host.tell(simulated.name, { kind: "fanout-changed", connected, problem });
  }

  /** Ends a split: a node that had started meanwhile hears of its NATS only now. */
  joinAgain(simulated: SimulatedNode): void {
    simulated.isOnFanout = true;
    if (simulated.isAlive) this.started(simulated);
  }

  setDown(site: string, isDown: boolean): void {
    if (this.#down.has(site) === isDown) return;
    if (isDown) this.#down.add(site);
    else this.#down.delete(site);
    for (const node of this.#host.nodes.values())
      if (node.settings.site === site && node.isAlive) this.started(node);
  }

  publish(from: SimulatedNode, message: PeerMessage): void {
    const peers = this.peersOf(from);
    if (peers.length === 0) return;
    const bytes = toBinary(PeerMessageSchema, message);
    for (const peer of peers) this.#carry(from, peer, () => this.#speak(peer, bytes));
  }

  ask(asker: SimulatedNode, body: PeerAskBody): void {
    const alive = this.peersOf(asker).filter(({ isAlive }) => isAlive);
    const peer = alive[this.#host.random.below(alive.length)];
    if (peer === undefined) return;
    const none = new Uint8Array(0);
    const { holdings, children: childrenDigest = none, consents: consentsDigest = none } = body;
    const { records } = body;
    const digests = { childrenDigest, consentsDigest, ...(records && { records }) };
    const ask = create(PeerAskSchema, { node: asker.name, holdings, ...digests });
    const bytes = toBinary(PeerAskSchema, ask);
    this.#carry(asker, peer, () => {
      const answer = this.#host.ask<PeerMessage[]>(peer.name, (call) => ({
        kind: "peer-asked",
        call,
        ask: fromBinary(PeerAskSchema, bytes),
      }));
      if (answer?.ok !== true) return;
      this.#host.observer.peerAnswered?.(peer, asker, answer.value);
      for (const message of answer.value) {
        const spoken = toBinary(PeerMessageSchema, message);
        this.#carry(peer, asker, () => this.#speak(asker, spoken));
      }
    });
  }

  #speak(to: SimulatedNode, bytes: Uint8Array): void {
    const message = fromBinary(PeerMessageSchema, bytes);
    this.#host.tell(to.name, { kind: "peer-spoke", message });
  }

  #carry(from: SimulatedNode, to: SimulatedNode, deliver: () => void): void {
    const { faults, random } = this.#host;
    if (!from.isOnFanout || !to.isOnFanout || this.#down.has(from.settings.site)) return;
    if (this.#host.chance("nats-loss", faults.natsLossShare)) return;
    if (faults.natsDelayMsMax > 1_000) this.#host.fault("nats-delay");
    const pair = `${from.name}>${to.name}`;
    const delayedMs = this.#host.nowMs + random.below(faults.natsDelayMsMax + 1);
    const atMs = Math.max(this.#readyAtMs.get(pair) ?? 0, delayedMs);
    this.#readyAtMs.set(pair, atMs);
    this.#host.later(atMs - this.#host.nowMs, deliver);
    if (this.#host.chance("nats-duplicate", faults.natsDuplicateShare))
      this.#host.later(atMs - this.#host.nowMs, deliver);
  }
}
