import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  GoodbyeSchema,
  OfferSchema,
  type ReplicateResponse,
  ReplicateResponseSchema,
  WelcomeSchema,
} from "../../../gen/headwater/v1/mesh_pb.ts";
import type { SteppedNode } from "../../relay/stepped-node.ts";
import { readEverything } from "../every-read.ts";
import { assertTrusted, childAfter, mesh, project, reborn, upstream } from "../honest-mesh.ts";
import { readOr } from "../read-or.ts";
import { assertEffects } from "../refusals.ts";
import type { Target } from "../target.ts";
import { parseWire } from "../wire-tree.ts";

/** Several frames as one input: a message whose field 1 is each of them. */
export function bundled(frames: readonly Uint8Array[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const frame of frames) writer.tag(1, WireType.LengthDelimited).bytes(frame);
  return new Uint8Array(writer.finish());
}

/** The messages of an input; what is no list of them is one. */
export function unbundled(input: Uint8Array): { field: number; bytes: Uint8Array }[] {
  const fields = parseWire(input, Number.POSITIVE_INFINITY);
  const each = fields?.flatMap(({ field, value }) =>
    value.kind === "bytes" ? [{ field, bytes: value.bytes }] : [],
  );
  return each === undefined || each.length === 0 ? [{ field: 1, bytes: input }] : each.slice(0, 40);
}

function other(frame: ReplicateResponse["frame"]): Uint8Array {
  const message = create(ReplicateResponseSchema);
  message.frame = frame;
  return toBinary(ReplicateResponseSchema, message);
}

const ledger = { authority: upstream.id, project };
const others: readonly Uint8Array[] = [
  other({
    case: "welcome",
    value: create(WelcomeSchema, {
      protocol: 2,
      site: "openstack",
      node: "root",
      heartbeatMs: 10_000,
      nodeId: new Uint8Array(8),
    }),
  }),
  other({
    case: "offer",
    value: create(OfferSchema, { ledger, outcome: "RESUME", hops: [new Uint8Array(8)] }),
  }),
  other({
    case: "offer",
    value: create(OfferSchema, { ledger, outcome: "BEHIND", position: { term: 1, seq: 1 } }),
  }),
  other({
    case: "goodbye",
    value: create(GoodbyeSchema, { reason: "OVERLOAD", retryAfterMs: 1_000, message: "later" }),
  }),
];

/** Frames of a parent that lies, is broken or mad: what is held stays what was signed. */
export const frames: Target = {
  name: "frames",
  form: "wire",
  share: 6,
  seeds: () => [
    bundled(mesh.frames.slice(0, mesh.changesFrom)),
    bundled(mesh.frames.slice(mesh.changesFrom)),
    bundled([...others, ...mesh.frames]),
    ...mesh.frames.map((frame) => bundled([frame])),
    ...others.map((frame) => bundled([frame])),
  ],
  open: () => {
    const starts = [childAfter(0), childAfter(mesh.changesFrom)];
    const held: (SteppedNode | undefined)[] = [];
    let n = 0;
    return (input) => {
      const which = n++ % starts.length;
      const child = held[which] ?? reborn(starts[which]!);
      const isUntouched = hearAll(child, input);
      assertTrusted(child);
      held[which] = isUntouched ? child : undefined;
      if (isUntouched) return "refused";
      if (n % 16 === 0) readEverything(child);
      return "accepted";
    };
  },
};

/** True when nothing came of any. */
function hearAll(child: SteppedNode, input: Uint8Array): boolean {
  let isUntouched = true;
  for (const { bytes } of unbundled(input)) {
    // grpc-js ends the stream for what can not be read.
    const frame = readOr(ReplicateResponseSchema, bytes);
    if (frame === undefined) continue;
    isUntouched = false;
    assertEffects(child.tell({ kind: "upstream-frame", upstream: "openstack", frame }));
  }
  return isUntouched;
}
