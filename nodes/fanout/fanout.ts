import type { PeerMessage } from "../../gen/headwater/v1/fanout_pb.ts";
import type { PeerAskBody } from "../../relay/effect.ts";

/**
 * How the nodes of one site talk. Nothing in it is precious: messages may be lost, and what is
 * lost is asked for again.
 */
export interface Fanout {
  /** To every other node of the site. */
  publish(message: PeerMessage): void;
  /** To any one other node of the site; what it answers is told like what it publishes. */
  ask(ask: PeerAskBody): void;
  close(): Promise<void>;
}
