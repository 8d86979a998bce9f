import type { PeerAsk, PeerMessage } from "../../../gen/headwater/v1/fanout_pb.ts";
import type { Happening, NodeAccess, NodeReads } from "../../../nodes/access.ts";
import type { Moment } from "../../../relay/event.ts";

/** Stands for the node behind a fan-out: keeps what it is told, answers asks as the test says. */
export class FakeAccess implements NodeAccess {
  readonly reads: NodeReads = {} as NodeReads;
  readonly spoken: PeerMessage[] = [];
  readonly asks: PeerAsk[] = [];
  /** Every `fanout-changed`, in order. */
  readonly changes: { connected: boolean; problem: string }[] = [];
  answerWith: (ask: PeerAsk) => readonly PeerMessage[] | Promise<readonly PeerMessage[]> = () => [];
  onSpoken: (message: PeerMessage) => void = () => {};
  monoMs = 0;
  readonly ailment = undefined;

  get state(): { connected: boolean; problem: string } | undefined {
    return this.changes.at(-1);
  }

  now(): Moment {
    return { wallMs: 0, monoMs: this.monoMs };
  }

  tell(happening: Happening): void {
    if (happening.kind === "peer-spoke") {
      this.spoken.push(happening.message);
      this.onSpoken(happening.message);
    } else if (happening.kind === "fanout-changed") {
      this.changes.push({ connected: happening.connected, problem: happening.problem });
    } else throw new Error(`nobody tells of ${happening.kind} here`);
  }

  async ask<T>(happening: (call: number) => Happening): Promise<T> {
    const asked = happening(1);
    if (asked.kind !== "peer-asked") throw new Error(`nobody asks for ${asked.kind} here`);
    this.asks.push(asked.ask);
    return (await this.answerWith(asked.ask)) as T;
  }

  onExpose(): void {}

  list(): readonly Uint8Array[] {
    return [];
  }
}
