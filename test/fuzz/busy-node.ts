import { create } from "@bufbuild/protobuf";
import { ReplicateRequestSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import type { Peer } from "../../relay/event.ts";
import type { SteppedNode } from "../relay/stepped-node.ts";
import { reportOf } from "../relay/telemetry/fixture.ts";
import { childAfter, mesh, project, reborn, upstream } from "./honest-mesh.ts";

/** A child of the node, known by its certificate. */
export const below: Peer = { by: "certificate", name: "below" };

const openedLink = 1;

/** A node that has a parent, a child and instances; it is the same each time. */
export function busyNode(): SteppedNode {
  const node = childAfter(mesh.frames.length);
  openLink(node);
  for (let n = 0; n < 30; n++) {
    const report = reportOf({
      instance: `i-${n}`,
      version: n % 2 === 0 ? "1.0" : "2.0",
      on: ["alpha"],
    });
    node.tell({ kind: "report", call: n, report });
  }
  return node;
}

function openLink(node: SteppedNode): void {
  const ledger = { authority: upstream.id, project };
  const request = create(ReplicateRequestSchema, {
    protocol: 2,
    node: "c1",
    holdings: [{ ledger }],
  });
  node.tell({ kind: "child-opened", link: openedLink, peer: below, request });
}

/** Gives the same node for a number of inputs, and then one that begins again from the same disk. */
export function renewedEvery(inputsCount: number): () => SteppedNode {
  const first = busyNode();
  let node = reborn(first);
  let n = 0;
  return () => {
    if (n++ % inputsCount === 0) {
      node = reborn(first);
      openLink(node);
    }
    return node;
  };
}
