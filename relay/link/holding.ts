import { create } from "@bufbuild/protobuf";
import { type Holding, HoldingSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { trustDigest } from "../trust/trusted.ts";

/** What is held of a ledger, as one tells another node. */
export function holdingOf(ledger: Ledger): Holding {
  const holding = holdingWithout(ledger);
  if (ledger.position !== undefined) holding.position = ledger.position;
  return holding;
}

/** The same without its position: who gives it is sent the whole ledger. */
export function holdingWithout({ name, trusted }: Ledger): Holding {
  return create(HoldingSchema, {
    ledger: { authority: name.authority, project: name.project },
    trustDigest: trustDigest(trusted),
  });
}
