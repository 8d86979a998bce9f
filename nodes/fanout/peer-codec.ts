import { create, toBinary } from "@bufbuild/protobuf";
import {
  PeerAnswerSchema,
  PeerAskSchema,
  type PeerMessage,
  PeerMessageSchema,
} from "../../gen/headwater/v1/fanout_pb.ts";
import { type Holding, HoldingSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import type { PeerAskBody } from "../../relay/effect.ts";
import { batchesOf } from "./batch.ts";

/** What a message takes in one around it, at most: its field's tag and its length. */
const fieldBytesMax = 8;

/** What a node's name and `last` take besides, with room. */
const restBytesMax = 256;

/**
 * An answer of any length as messages of up to `bytesMax`, in order, the last of which says so. A
 * single message that is larger travels alone.
 */
export function* encodeAnswer(of: {
  messages: readonly PeerMessage[];
  bytesMax: number;
}): Generator<Uint8Array> {
  const batches = batchesOf({
    items: of.messages,
    bytesOf: (message) => toBinary(PeerMessageSchema, message).length + fieldBytesMax,
    bytesMax: of.bytesMax - restBytesMax,
  });
  let count = 0;
  for (const messages of batches) {
    count += messages.length;
    const last = count === of.messages.length;
    yield toBinary(PeerAnswerSchema, create(PeerAnswerSchema, { messages: [...messages], last }));
  }
}

/**
 * An ask as messages of up to `bytesMax`: each is for whoever gets it, so none may be cut, and
 * holdings that do not fit into one are asked for in several.
 */
export function* encodeAsk(of: {
  node: string;
  ask: PeerAskBody;
  bytesMax: number;
}): Generator<Uint8Array> {
  const batches = batchesOf({
    items: of.ask.holdings,
    bytesOf: (holding) => toBinary(HoldingSchema, holding).length + fieldBytesMax,
    bytesMax: of.bytesMax - restBytesMax,
  });
  for (const [index, holdings] of [...batches].entries()) {
    // Digests go with the first part, or by themselves where it has no room for them.
    const { records } = index === 0 ? of.ask : {};
    const bytes = askBytes(of, { holdings, ...(records && { records }) });
    if (records === undefined || bytes.length <= of.bytesMax) yield bytes;
    else yield* [askBytes(of, { holdings }), askBytes(of, { holdings: [], records })];
  }
}

function askBytes(
  { node, ask }: { node: string; ask: PeerAskBody },
  part: Pick<PeerAskBody, "records"> & { readonly holdings: readonly Holding[] },
): Uint8Array {
  const { holdings, records } = part;
  return toBinary(
    PeerAskSchema,
    create(PeerAskSchema, {
      node,
      holdings: [...holdings],
      childrenDigest: ask.children ?? new Uint8Array(0),
      consentsDigest: ask.consents ?? new Uint8Array(0),
      ...(records && { records }),
    }),
  );
}
