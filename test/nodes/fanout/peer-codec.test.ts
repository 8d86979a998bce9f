import { create, fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  PeerAnswerSchema,
  PeerAskSchema,
  type PeerMessage,
} from "../../../gen/headwater/v1/fanout_pb.ts";
import { HoldingSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { encodeAnswer, encodeAsk } from "../../../nodes/fanout/peer-codec.ts";
import { saying } from "./peer.ts";

const bytesMax = 1_000;

test("an answer keeps its messages in order, in pieces below the bound, the last one marked", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 20 }), (sizes) => {
      const messages = sizes.map((size, index) => saying("b", `${index}`, size));
      const pieces = [...encodeAnswer({ messages, bytesMax })];
      for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(bytesMax);
      const answers = pieces.map((piece) => fromBinary(PeerAnswerSchema, piece));
      expect(answers.flatMap((answer) => answer.messages)).toEqual(messages);
      expect(answers.map(({ last }) => last)).toEqual(pieces.map((_, index) => !pieces[index + 1]));
      // Two neighbours that would fit into one are one.
      const joinable = pieces.some(
        (piece, index) => piece.length + (pieces[index + 1]?.length ?? bytesMax) < bytesMax / 2,
      );
      expect(joinable).toBe(false);
    }),
  );
});

test("a message above the bound is a piece of its own", () => {
  const messages = [saying("b", "1"), saying("b", "large", 5_000), saying("b", "3")];
  const answers = [...encodeAnswer({ messages, bytesMax })].map((piece) =>
    fromBinary(PeerAnswerSchema, piece).messages.map(wordOf),
  );
  expect(answers).toEqual([["1"], ["large"], ["3"]]);
});

test("an ask keeps its holdings, each message naming who asks", () => {
  const holdings = Array.from({ length: 100 }, (_, index) =>
    create(HoldingSchema, { ledger: { authority: new Uint8Array(32), project: `p${index}` } }),
  );
  const pieces = [...encodeAsk({ node: "a", ask: { holdings }, bytesMax })];
  for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(bytesMax);
  const asks = pieces.map((piece) => fromBinary(PeerAskSchema, piece));
  expect(asks.flatMap((ask) => ask.holdings)).toEqual(holdings);
  expect(new Set(asks.map(({ node }) => node))).toEqual(new Set(["a"]));
});

test("an ask of nothing held is one ask", () => {
  expect([...encodeAsk({ node: "a", ask: { holdings: [] }, bytesMax })]).toHaveLength(1);
});

function wordOf({ body }: PeerMessage): string | undefined {
  return body.case === "pins" ? body.value.payloadType : undefined;
}
