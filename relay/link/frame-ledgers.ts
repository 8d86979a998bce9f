import { create } from "@bufbuild/protobuf";
import type { LedgerName } from "../../gen/headwater/v1/ledger_pb.ts";
import { HeartbeatSchema, type ReplicateResponse } from "../../gen/headwater/v1/mesh_pb.ts";
import { type LedgerId, ledgerId } from "../ledger/position.ts";

type Frame = ReplicateResponse["frame"];

/** The ledger that a frame is about, if it is about one. */
export function ledgerNameOf(frame: Frame): LedgerName | undefined {
  switch (frame.case) {
    case "trustUpdate":
    case "snapshotBegin":
    case "snapshotChunk":
    case "snapshotEnd":
    case "delta":
      return frame.value.ledger;
    case "welcome":
    case "offer":
    case "heartbeat":
    case "goodbye":
    case undefined:
      return undefined;
  }
}

/** All ledgers that a frame is about, those of its beats too. */
export function ledgersOf(frame: Frame): LedgerName[] {
  if (frame.case === "heartbeat") return frame.value.beats.flatMap(({ ledger }) => ledger ?? []);
  const name = ledgerNameOf(frame);
  return name === undefined ? [] : [name];
}

/** A heartbeat without the beats of some ledgers; any other frame as it is. */
export function withoutLedgers(frame: Frame, isOut: (id: LedgerId) => boolean): Frame {
  if (frame.case !== "heartbeat") return frame;
  const beats = frame.value.beats.filter(
    ({ ledger }) => ledger === undefined || !isOut(ledgerId(ledger)),
  );
  if (beats.length === frame.value.beats.length) return frame;
  return { case: "heartbeat", value: create(HeartbeatSchema, { beats }) };
}
