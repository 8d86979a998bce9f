import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ConfirmRequestSchema,
  GiveBackRequestSchema,
  ReplicateRequestSchema,
  ReplicateResponseSchema,
} from "../../../gen/headwater/v1/mesh_pb.ts";
import type { Happening } from "../../../nodes/access.ts";
import type { SteppedNode } from "../../relay/stepped-node.ts";
import { below, renewedEvery } from "../busy-node.ts";
import { readEverything } from "../every-read.ts";
import { assertTrusted, mesh, project, upstream } from "../honest-mesh.ts";
import { readOr } from "../read-or.ts";
import { assertEffects } from "../refusals.ts";
import type { Target } from "../target.ts";
import { encodeWire } from "../wire-tree.ts";
import { bundled, unbundled } from "./frames.ts";

const ledger = { authority: upstream.id, project };
const position = { term: 1, seq: 2, digest: new Uint8Array(32) };
const trustDigest = new Uint8Array(32);
const holdings = [{ ledger, position, trustDigest }];

const replicate = toBinary(
  ReplicateRequestSchema,
  create(ReplicateRequestSchema, {
    protocol: 2,
    site: "plant",
    node: "c2",
    nodeId: new Uint8Array(8),
    holdings,
  }),
);
const confirm = toBinary(
  ConfirmRequestSchema,
  create(ConfirmRequestSchema, {
    node: "c1",
    holdings,
    again: holdings,
    ahead: [
      { ledger, trust: upstream.trust, head: { payloadType: "x", payload: new Uint8Array(9) } },
    ],
  }),
);
const givenBack = mesh.frames.map((frame) =>
  toBinary(
    GiveBackRequestSchema,
    create(GiveBackRequestSchema, {
      node: "c1",
      frame: fromBinary(ReplicateResponseSchema, frame),
    }),
  ),
);

function asked(field: number, bytes: Uint8Array): Uint8Array {
  return encodeWire([{ field, value: { kind: "bytes", bytes } }]);
}

/** What children ask of their parent: 1 is Replicate, 2 Confirm, 3 GiveBack. */
export const requests: Target = {
  name: "requests",
  form: "wire",
  share: 4,
  seeds: () => [
    bundled([replicate]),
    asked(2, confirm),
    new Uint8Array(Buffer.concat([bundled([replicate]), asked(2, confirm)])),
    ...givenBack.map((one) => asked(3, one)),
    new Uint8Array(Buffer.concat(givenBack.map((one) => asked(3, one)))),
  ],
  open: () => {
    const nodeNow = renewedEvery(64);
    let n = 0;
    return (input) => {
      const node = nodeNow();
      const count = unbundled(input).filter(({ field, bytes }) =>
        isTold(node, field, bytes),
      ).length;
      node.wait(1);
      assertTrusted(node);
      if (n++ % 32 === 0) readEverything(node);
      return count > 0 ? "accepted" : "refused";
    };
  },
};

let linksCount = 1;

/** False for what can not be read: grpc-js answers it, and nothing is told. */
function isTold(node: SteppedNode, field: number, bytes: Uint8Array): boolean {
  const tell = (happening: Happening): void => assertEffects(node.tell(happening));
  const call = 1_000_000;
  if (field === 2) {
    const request = readOr(ConfirmRequestSchema, bytes);
    if (request !== undefined) tell({ kind: "child-confirmed", call, peer: below, request });
    return request !== undefined;
  }
  if (field === 3) {
    const request = readOr(GiveBackRequestSchema, bytes);
    if (request !== undefined) tell({ kind: "ledger-given-back", call, peer: below, request });
    return request !== undefined;
  }
  const request = readOr(ReplicateRequestSchema, bytes);
  if (request === undefined) return false;
  const link = ++linksCount;
  tell({ kind: "child-opened", link, peer: below, request });
  tell({ kind: "children-flushed", flushed: [{ link, framesCount: 1, bytes: 100 }] });
  if (linksCount % 4 > 0) tell({ kind: "child-closed", link });
  return true;
}
