import type { PeerMessage } from "../../gen/headwater/v1/fanout_pb.ts";
import type {
  ConfirmRequest,
  GiveBackRequest,
  ReplicateResponse,
} from "../../gen/headwater/v1/mesh_pb.ts";
import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import type { Happening } from "../../nodes/access.ts";
import type { Effect, Exposure, Write } from "../../relay/effect.ts";
import type { CallId, Event } from "../../relay/event.ts";
import type { Node } from "../../relay/node.ts";
import type { Random } from "../../relay/random.ts";
import type { Outcome } from "../../relay/refusal.ts";
import type { NodeSettings } from "../../relay/settings.ts";
import type { Clock } from "./clock.ts";
import type { FaultKind } from "./fault-kinds.ts";
import type { Faults } from "./faults.ts";
import type { Link } from "./link.ts";
import type { MemoryStore } from "./memory-store.ts";

export interface SimulatedNode {
  readonly name: string;
  readonly settings: Omit<NodeSettings, "records">;
  readonly store: MemoryStore;
  node: Node;
  isAlive: boolean;
  wakeAtMs: number;
  readonly clock: Clock;
  /** Till then its process is stopped, and what happens to it waits. */
  pausedUntilMs: number;
  readonly waiting: Happening[];
  /** Whether it hears the other nodes of its site. */
  isOnFanout: boolean;
}

/** What looks on; nothing of it changes anything. */
export interface Observer {
  started?(node: SimulatedNode): void;
  /** What it had set its alarm for is due. */
  woken?(node: SimulatedNode): void;
  stepped?(node: SimulatedNode): void;
  died?(node: SimulatedNode): void;
  persisted?(node: SimulatedNode, writes: readonly Write[]): void;
  /** It asks something of the world. */
  performing?(node: SimulatedNode, effect: Effect): void;
  exposed?(node: SimulatedNode, exposure: Exposure): void;
  logged?(node: SimulatedNode, event: string, message: string): void;
  /** A step has thrown. */
  failed?(node: SimulatedNode, thrown: unknown): void;
  dialed?(link: Link): void;
  confirming?(link: Link, request: ConfirmRequest): void;
  /** A node deals with an event now: one that was paused hears of it later than it came. */
  stepping?(event: Event): void;
  sent?(link: Link, frame: Uint8Array): void;
  handed?(link: Link): void;
  heard?(node: SimulatedNode, upstream: string, frame: ReplicateResponse): void;
  /** What a node of a site has for another that asked. */
  peerAnswered?(from: SimulatedNode, to: SimulatedNode, messages: readonly PeerMessage[]): void;
  documentAccepted?(link: Link, document: Document): void;
}

/** What the network and the site's fan-out need of the world. */
export interface Host {
  readonly nowMs: number;
  readonly random: Random;
  readonly faults: Faults;
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  readonly observer: Observer;
  readonly onGiveBack: (request: GiveBackRequest) => void;
  readonly joined: ReadonlyMap<
    string,
    readonly { readonly id: string; readonly credential: Uint8Array | undefined }[]
  >;
  tell(name: string, happening: Happening): void;
  ask<T>(name: string, happening: (call: CallId) => Happening): Outcome<T> | undefined;
  later(inMs: number, run: () => void): void;
  /** Whether a fault comes about; counted if so. */
  chance(kind: FaultKind, share: number): boolean;
  fault(kind: FaultKind): void;
}
