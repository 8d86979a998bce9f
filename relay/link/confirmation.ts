import { create } from "@bufbuild/protobuf";
import { type ConfirmRequest, ConfirmRequestSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LedgerId } from "../ledger/position.ts";
import { trustMessage } from "../trust/trusted.ts";
import { holdingOf } from "./holding.ts";

/** What a child tells a parent of some ledgers, and proof of others, which the parent does not hold. */
export function confirmation(of: {
  node: string;
  ledgers: readonly Ledger[];
  held: ReadonlyMap<LedgerId, Ledger>;
  behind: readonly LedgerId[];
}): ConfirmRequest {
  const ahead = of.behind.flatMap((id) => {
    const ledger = of.held.get(id);
    if (ledger?.trusted === undefined || ledger.head === undefined) return [];
    const name = { authority: ledger.name.authority, project: ledger.name.project };
    return [{ ledger: name, trust: trustMessage(ledger.trusted), head: ledger.head.envelope }];
  });
  return create(ConfirmRequestSchema, {
    node: of.node,
    holdings: of.ledgers.map(holdingOf),
    ahead,
  });
}
