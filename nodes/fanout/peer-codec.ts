import { create, toBinary } from "@bufbuild/protobuf";
import {
  PeerAnswerSchema,
  PeerAskSchema,
  type PeerMessage,
  PeerMessageSchema,
} from "../../gen/headwater/v1/fanout_pb.ts";
import { HoldingSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import type { PeerAskBody } from "../../relay/effect.ts";
import { batchesOf } from "./batch.ts";

/** What a message takes in one around it, at most: its field's tag and its length. */
const fieldBytesMax = 8;

/** What a node's name, digests and `last` take besides, with room. */
const restBytesMax = 5 * 1024;

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
  const { records } = of.ask;
  let isFirst = true;
  for (const holdings of batches) {
    yield toBinary(
      PeerAskSchema,
      create(PeerAskSchema, {
        node: of.node,
        holdings: [...holdings],
        childrenDigest: of.ask.children ?? new Uint8Array(0),
        consentsDigest: of.ask.consents ?? new Uint8Array(0),
        ...(isFirst && records && { records }),
      }),
    );
    isFirst = false;
  }
}
