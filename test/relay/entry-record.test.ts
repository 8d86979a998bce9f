import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { HistoryRecordSchema } from "../../gen/headwater/v1/ledgers_pb.ts";
import { entryRecord } from "../../relay/entry-record.ts";

const common = { atMs: 1_767_225_600_000n, actor: "ada", position: { term: 1, seq: 2 } };
const commonBytes = toBinary(HistoryRecordSchema, create(HistoryRecordSchema, common));

function bytesOf(length: number | undefined): Uint8Array | undefined {
  return length === undefined ? undefined : new Uint8Array(length).fill(length % 251);
}

test.each([
  ["flag/a", undefined, 20],
  ["flag/a", 20, undefined],
  ["flag/a", 0, 0],
  ["flag/a", undefined, undefined],
  [`flag/${"a".repeat(123)}`, 127, 128],
  ["flag/\u00fc\u{1f30a}", 16_383, 16_384],
  ["flag/a", 70_000, 2_100_000],
])(
  "a record of one entry (%s, %s, %s) is read as what its schema would have written",
  (key, one, other) => {
    const [before, after] = [bytesOf(one), bytesOf(other)];
    const expected = create(HistoryRecordSchema, { ...common, key });
    if (before !== undefined) expected.before = before;
    if (after !== undefined) expected.after = after;
    const read = fromBinary(HistoryRecordSchema, entryRecord(commonBytes, { key, before, after }));
    expect(
      Buffer.compare(toBinary(HistoryRecordSchema, read), toBinary(HistoryRecordSchema, expected)),
    ).toBe(0);
  },
);
