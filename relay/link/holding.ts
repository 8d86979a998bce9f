import { create } from "@bufbuild/protobuf";
import { type Holding, HoldingSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { trustDigest } from "../trust/trusted.ts";

/** What is held of a ledger, as one tells another node. */
export function holdingOf(ledger: Ledger): Holding {
  return create(HoldingSchema, {
    ledger: { authority: ledger.name.authority, project: ledger.name.project },
    trustDigest: trustDigest(ledger.trusted),
    ...(ledger.position && { position: ledger.position }),
  });
}
