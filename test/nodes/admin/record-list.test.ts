import { expect, test } from "vitest";
import { HistoryRecordSchema } from "../../../gen/headwater/v1/ledgers_pb.ts";
import { listNewest, listRecords } from "../../../nodes/admin/record-list.ts";
import { listLengthMax } from "../../../relay/limits.ts";
import { FakeAccess } from "../fake-access.ts";

const access = new FakeAccess();
access.records = Array.from({ length: listLengthMax + 1 }, () => new Uint8Array(0));
const of = { access, bucket: "audit", schema: HistoryRecordSchema } as const;
const where = { matches: () => true, among: listLengthMax + 1 };

test.each<[string, (limit: number) => unknown[]]>([
  ["of a project", (limit) => listRecords({ ...of, project: "horizon", limit })],
  ["that are sought", (limit) => listRecords({ ...of, project: "horizon", limit, where })],
  ["of all", (limit) => listNewest({ ...of, limit })],
])("an answer holds so many records %s at most, however many were asked for", (_, list) => {
  expect(list(listLengthMax - 1)).toHaveLength(listLengthMax - 1);
  expect(list(listLengthMax)).toHaveLength(listLengthMax);
  expect(list(listLengthMax + 1)).toHaveLength(listLengthMax);
});
