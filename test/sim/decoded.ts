import { fromBinary } from "@bufbuild/protobuf";
import { HeadSchema, type Position } from "../../gen/headwater/v1/ledger_pb.ts";
import { type ReplicateResponse, ReplicateResponseSchema } from "../../gen/headwater/v1/mesh_pb.ts";

export type TermSeq = Pick<Position, "term" | "seq">;

type Frame = ReplicateResponse["frame"];

const frames = new WeakMap<Uint8Array, Frame>();

/** Frames are shared by the links that they go to, and decoded once. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const known = frames.get(bytes);
  if (known !== undefined) return known;
  const { frame } = fromBinary(ReplicateResponseSchema, new Uint8Array(bytes));
  frames.set(bytes, frame);
  return frame;
}

const positions = new WeakMap<Uint8Array, TermSeq>();

/** Of a head, from the payload of its envelope. */
export function positionOf(payload: Uint8Array): TermSeq {
  const known = positions.get(payload);
  if (known !== undefined) return known;
  const { position } = fromBinary(HeadSchema, payload);
  const at = { term: position?.term ?? 0, seq: position?.seq ?? 0 };
  positions.set(payload, at);
  return at;
}
