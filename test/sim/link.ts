import { fromBinary } from "@bufbuild/protobuf";
import { EnvelopeSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import type { ReplicateRequest } from "../../gen/headwater/v1/mesh_pb.ts";
import type { LinkId, Peer } from "../../relay/event.ts";
import { linkBytesInFlightMax, linkFramesInFlightMax } from "../../relay/limits.ts";

/** A frame on its way; without bytes it is the end of the stream. */
interface Passing {
  readonly bytes: Uint8Array | undefined;
  readonly atMs: number;
}

/** One stream from a parent to a child, as the network has it. */
export interface Link {
  readonly id: LinkId;
  readonly child: string;
  /** The upstream's id at the child. */
  readonly upstream: string;
  readonly parent: string;
  readonly request: ReplicateRequest;
  readonly passing: Passing[];
  /** Handed to the transport and not yet taken by it. */
  framesInFlight: number;
  bytesInFlight: number;
  /** Whether the child, and the parent, believe that it is there. */
  childOpen: boolean;
  parentOpen: boolean;
  /** Half-open: nothing passes, and nobody is told. */
  isDead: boolean;
  stalledUntilMs: number;
  /** Whether the child has heard the begin of a snapshot and not its end. */
  isInSnapshot: boolean;
  /** A welcome or an offer was lost, or was another than the parent's: the child asks or dials again. */
  isMaimed: boolean;
}

/** What happens to frames that leave a node, when it cheats. */
export type Cheat = (link: Link, frame: Uint8Array) => readonly Uint8Array[];

/** Who a parent takes somebody for who shows this. */
export function peerWith(credential: Uint8Array | undefined): Peer {
  return { by: "credential", credential: credential && fromBinary(EnvelopeSchema, credential) };
}

/** Whether the parent may hand it more. */
export function hasRoom({ framesInFlight, bytesInFlight }: Link): boolean {
  return framesInFlight < linkFramesInFlightMax && bytesInFlight < linkBytesInFlightMax;
}
