import { create, toBinary } from "@bufbuild/protobuf";
import { EnvelopeSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import { parseToken } from "../../relay/trust/join-token.ts";
import type { BenchRoot } from "./bench-root.ts";

/** What nodes downstream dial with. */
export interface ChildDial {
  /** `host:port` of a mesh port. */
  readonly address: string;
  /** What a request carries: `Bearer …`; empty for none. */
  readonly authorization: string;
  /** Of the project, hex. */
  readonly authority: string;
}

export async function dialOf(root: BenchRoot): Promise<ChildDial> {
  const token = parseToken(await root.node.joinToken());
  if (!token.ok) throw new Error(token.refusal.message);
  const envelope = token.value.credential ?? create(EnvelopeSchema);
  const credential = Buffer.from(toBinary(EnvelopeSchema, envelope)).toString("base64url");
  return {
    address: root.mesh,
    authorization: `Bearer ${credential}`,
    authority: root.authority,
  };
}
