import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ConfirmRequestSchema, GiveBackRequestSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { type Document, DocumentSchema } from "../../gen/headwater/v1/telemetry_pb.ts";
import type { Effect } from "../../relay/effect.ts";
import type { Peer } from "../../relay/event.ts";
import type { Outcome } from "../../relay/refusal.ts";
import { type Link, peerWith } from "./link.ts";
import { type Network, noticeMs } from "./network.ts";
import type { Host, SimulatedNode } from "./simulated-node.ts";

/** What children ask of their parents beside a link, over the same network. */
export class Calls {
  /** What becomes of documents on their way, by the node that has made them. */
  readonly misreports = new Map<string, (document: Document) => Document>();
  readonly #host: Host;
  readonly #network: Network;

  constructor(host: Host, network: Network) {
    this.#host = host;
    this.#network = network;
  }

  confirm(child: SimulatedNode, effect: Extract<Effect, { kind: "confirm" }>): void {
    const link = this.#network.linkOf(child.name, effect.upstream);
    if (link === undefined || !this.#callPasses(link)) return;
    const request = fromBinary(
      ConfirmRequestSchema,
      toBinary(ConfirmRequestSchema, effect.request),
    );
    const peer = this.#peerOf(child.name, effect.upstream);
    this.#host.later(this.#network.delayMs(), () => {
      this.#host.observer.confirming?.(link, request);
      this.#host.ask(link.parent, (call) => ({ kind: "child-confirmed", call, peer, request }));
    });
  }

  /** One call after the other, each once the one before is answered. */
  giveBack(child: SimulatedNode, effect: Extract<Effect, { kind: "give-back" }>): void {
    const link = this.#network.linkOf(child.name, effect.upstream);
    const [first, ...requests] = effect.requests;
    if (link === undefined || first === undefined || !this.#callPasses(link)) return;
    if (this.#host.chance("loss", this.#host.faults.lossShare)) return;
    const request = fromBinary(GiveBackRequestSchema, toBinary(GiveBackRequestSchema, first));
    const peer = this.#peerOf(child.name, effect.upstream);
    this.#host.later(this.#network.delayMs(), () => {
      this.#host.onGiveBack(request);
      const taken = this.#host.ask(link.parent, (call) => ({
        kind: "ledger-given-back",
        call,
        peer,
        request,
      }));
      if (taken?.ok === true) this.giveBack(child, { ...effect, requests });
    });
  }

  submit(child: SimulatedNode, effect: Extract<Effect, { kind: "submit-document" }>): void {
    const { upstream, document } = effect;
    const link = this.#network.linkOf(child.name, upstream);
    const said = this.misreports.get(child.name)?.(document) ?? document;
    const bytes = toBinary(DocumentSchema, said);
    const peer = this.#peerOf(child.name, upstream);
    const answer = (outcome: string, inMs: number): void =>
      this.#host.later(inMs, () =>
        this.#host.tell(child.name, { kind: "document-answered", upstream, document, outcome }),
      );
    if (link === undefined) return answer("unreachable", this.#network.delayMs());
    if (!this.#callPasses(link)) return answer("unreachable", noticeMs);
    this.#host.later(this.#network.delayMs(), () => {
      const outcome = this.#host.ask<{ outcome: string }>(link.parent, (call) => ({
        kind: "document-received",
        call,
        peer,
        document: fromBinary(DocumentSchema, bytes),
      }));
      if (outcome?.ok === true && outcome.value.outcome === "ACCEPTED")
        this.#host.observer.documentAccepted?.(link, fromBinary(DocumentSchema, bytes));
      // The answer may be lost when the document was not.
      const isLost = this.#host.chance("loss", this.#host.faults.lossShare);
      answer(isLost ? "unreachable" : outcomeText(outcome), this.#network.delayMs());
    });
  }

  #callPasses({ child, parent, isDead }: Link): boolean {
    return (
      !isDead && !this.#network.isBlocked(child, parent) && !this.#network.isBlocked(parent, child)
    );
  }

  #peerOf(child: string, upstream: string): Peer {
    const joined = this.#host.joined.get(child) ?? [];
    return peerWith(joined.findLast(({ id }) => id === upstream)?.credential);
  }
}

function outcomeText(outcome: Outcome<{ outcome: string }> | undefined): string {
  if (outcome === undefined) return "unreachable";
  return outcome.ok ? outcome.value.outcome : outcome.refusal.kind;
}
