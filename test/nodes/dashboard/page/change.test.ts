import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { FlagSchema } from "../../../../gen/headwater/v1/flag_pb.ts";
import { HASH_VERSION } from "../../../../relay/flag/bucket.ts";

interface Page {
  readonly flagChange: (of: object) => { anew: (client: object) => Promise<unknown> };
}

// Types of a browser are not those of tests: the page is compiled by itself.
const page = new URL("../../../../nodes/dashboard/page/change.ts", import.meta.url).href;

function entryOf(reader: number): { key: string; value: Uint8Array } {
  const flag = create(FlagSchema, { name: "wide", hash: HASH_VERSION, reader, basisPoints: 4_200 });
  return { key: "flag/wide", value: toBinary(FlagSchema, flag) };
}

test("what a later version has written of a flag meanwhile is not taken for no flag, and replaced", async () => {
  const { flagChange } = (await import(page)) as Page;
  const known = { ledger: { project: "horizon" }, position: {} };
  const { key, value } = entryOf(1);
  const own = { ...known, entries: new Map([[key, value]]) };
  const after = () => ({ basisPoints: 500 });
  const change = flagChange({ project: "horizon", own, name: "wide", after });
  const held = (reader: number) => ({ ...known, entries: [entryOf(reader)], writable: true });
  const clientOf = (reader: number) => ({ ledgers: { getLedger: async () => held(reader) } });
  await expect(change.anew(clientOf(1))).resolves.toMatchObject({ title: "horizon/wide" });
  await expect(change.anew(clientOf(2))).rejects.toThrow("newer version");
});
