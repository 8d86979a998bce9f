import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { type SentDocument, SentDocumentSchema } from "../../../gen/headwater/v1/fleet_pb.ts";
import { dayMs } from "../../../relay/cadence.ts";
import { sentSharedBytesMax, sentSharedMax } from "../../../relay/limits.ts";
import { SentLog } from "../../../relay/telemetry/sent-log.ts";
import { epochMs } from "../authority.ts";
import { weightsDocument } from "./fixture.ts";

/** The nth that was sent, of so many words. */
function sent(n: number, wordsCount: number): SentDocument {
  const words = Array.from({ length: wordsCount }, (_, at) => [`1.0.${at}`, 1]);
  const document = weightsDocument(Object.fromEntries(words));
  const atMs = BigInt(epochMs + n);
  return create(SentDocumentSchema, { atMs, upstream: "acme", outcome: "ACCEPTED", document });
}

const lengthOf = (wordsCount: number): number =>
  toBinary(SentDocumentSchema, sent(0, wordsCount)).length;

test.each([
  ["documents, of few words", sentSharedMax, 1],
  ["bytes, of many", Math.floor(sentSharedBytesMax / lengthOf(4_000)), 4_000],
])("so many %s, are compared; one more takes the place of the oldest", (_, most, wordsCount) => {
  const log = new SentLog();
  const kept = (): number[] =>
    log.shared(epochMs + most + 1).map((one) => Number(one.sent.atMs) - epochMs);
  for (let n = 1; n <= most; n++) log.accept(sent(n, wordsCount));
  expect(kept()).toHaveLength(most);
  expect(log.isNews(sent(0, wordsCount), epochMs)).toBe(false);
  log.accept(sent(most + 1, wordsCount));
  expect(kept()).toHaveLength(most);
  expect(kept()[0]).toBe(2);
});

test("what was sent while the clock was ahead is not told until others would take it", () => {
  const log = new SentLog();
  const yearMs = 365 * dayMs;
  log.accept(sent(yearMs, 1));
  const toldAt = (wallMs: number): number => log.shared(wallMs).length;
  expect([epochMs, epochMs + yearMs].map(toldAt)).toEqual([0, 1]);
  expect(log.isNews(sent(yearMs + 1, 1), epochMs)).toBe(false);
});
