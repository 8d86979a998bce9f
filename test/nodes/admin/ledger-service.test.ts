import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { TrustSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import {
  GetLedgerResponseSchema,
  HistoryRecordSchema,
  LedgerService,
} from "../../../gen/headwater/v1/ledgers_pb.ts";
import { HeadwaterError } from "../../../nodes/error.ts";
import { actorLengthMax } from "../../../relay/limits.ts";
import { done, refused } from "../../../relay/refusal.ts";
import { FakeAccess } from "../fake-access.ts";
import { openTestAdmin } from "./open-admin.ts";

const project = "horizon";
const authority = new Uint8Array(32).fill(1);
const position = { term: 1, seq: 2, digest: new Uint8Array(32).fill(3) };

async function failureOf(call: Promise<unknown>): Promise<HeadwaterError> {
  return HeadwaterError.from(await call.catch((thrown: unknown) => thrown));
}

describe("PrepareLedger", () => {
  test("gives the node seeds that nobody has had before, and its keys back", async () => {
    const access = new FakeAccess();
    const keys = { ledgerKey: new Uint8Array(32).fill(4), beatKey: new Uint8Array(32).fill(5) };
    access.answers.set("prepare-ledger", () => keys);
    const { client } = await openTestAdmin(access);
    const ledgers = client(LedgerService);
    expect(await ledgers.prepareLedger({ project })).toMatchObject(keys);
    await ledgers.prepareLedger({ project });
    const seeds = access.asked.flatMap((one) =>
      one.kind === "prepare-ledger" ? [one.ledgerSeed, one.beatSeed] : [],
    );
    expect(seeds.map((seed) => seed.length)).toEqual([32, 32, 32, 32]);
    expect(new Set(seeds.map((seed) => Buffer.from(seed).toString("hex"))).size).toBe(4);
  });
});

describe("CreateLedger", () => {
  test("hands on what was signed", async () => {
    const access = new FakeAccess();
    access.answers.set("create-ledger", () => ({ ledger: { authority, project }, position }));
    const { client } = await openTestAdmin(access);
    const trust = create(TrustSchema, { roots: [{ payloadType: "root" }] });
    const created = await client(LedgerService).createLedger({ project, trust });
    expect(created).toMatchObject({ ledger: { authority, project }, position });
    expect(access.asked).toMatchObject([{ kind: "create-ledger", project, trust }]);
  });

  test("names the field that is missing", async () => {
    const { client } = await openTestAdmin();
    const error = await failureOf(client(LedgerService).createLedger({ project }));
    expect(error).toMatchObject({ kind: "invalid", message: "trust: missing" });
  });
});

describe("GetLedger", () => {
  test("reads, and says why not when there is none", async () => {
    const response = create(GetLedgerResponseSchema, { writable: true, freshness: "FRESH" });
    const access = new FakeAccess({
      ledger: (of) =>
        of.project === project
          ? done(response)
          : refused("unknown", "project: not held here", "headwater init makes one"),
    });
    const ledgers = (await openTestAdmin(access)).client(LedgerService);
    expect(await ledgers.getLedger({ project })).toEqual(response);
    expect(await failureOf(ledgers.getLedger({ project: "other" }))).toMatchObject({
      kind: "unknown",
      message: "project: not held here",
      hint: "headwater init makes one",
    });
  });
});

describe("Commit", () => {
  const committing = (): FakeAccess => {
    const access = new FakeAccess();
    access.answers.set("commit", () => ({ position, changed: true }));
    return access;
  };

  test("says who asks, by address when nobody else is named", async () => {
    const { client, access } = await openTestAdmin(committing());
    const ledgers = client(LedgerService);
    const ledger = { authority, project };
    expect(await ledgers.commit({ ledger, tombstones: ["flag/x"] })).toMatchObject({
      position,
      changed: true,
    });
    await ledgers.commit({ ledger, actor: "ada@build" });
    expect(access.asked).toMatchObject([
      {
        request: { ledger, tombstones: ["flag/x"] },
        by: { actor: "127.0.0.1", address: "127.0.0.1" },
      },
      { request: { ledger }, by: { actor: "ada@build", token: "admin.token" } },
    ]);
  });

  test("bounds the name of who asks", async () => {
    const { client, access } = await openTestAdmin(committing());
    const actor = "x".repeat(actorLengthMax + 1);
    const error = await failureOf(client(LedgerService).commit({ actor }));
    expect(error.kind).toBe("invalid");
    expect(error.message).toMatch(/^actor: /);
    expect(access.asked).toEqual([]);
  });

  test("passes on that it has changed meanwhile", async () => {
    const access = new FakeAccess();
    access.answers.set("commit", () => {
      throw new HeadwaterError({ kind: "conflict", message: "expected: it is at 1/3 now" });
    });
    const { client } = await openTestAdmin(access);
    expect(await failureOf(client(LedgerService).commit({}))).toMatchObject({
      kind: "conflict",
      message: "expected: it is at 1/3 now",
    });
  });
});

describe("ListHistory", () => {
  const record = (key: string, atMs: number): Uint8Array =>
    toBinary(HistoryRecordSchema, create(HistoryRecordSchema, { key, atMs: BigInt(atMs) }));
  const history = (): FakeAccess => {
    const access = new FakeAccess();
    // Newest first, as the store gives them.
    access.records = Array.from({ length: 300 }, (_, index) =>
      record(index % 3 === 0 ? "flag/a" : "flag/b", 300 - index),
    );
    return access;
  };

  test("gives the newest hundred of the project, or as many as asked for", async () => {
    const { client, access } = await openTestAdmin(history());
    const ledgers = client(LedgerService);
    const { records } = await ledgers.listHistory({ project });
    expect(records).toHaveLength(100);
    expect(records[0]).toMatchObject({ key: "flag/a", atMs: 300n });
    expect((await ledgers.listHistory({ project, limit: 7 })).records).toHaveLength(7);
    expect(access.listed).toEqual([
      { bucket: "audit", prefix: "horizon/", limit: 100 },
      { bucket: "audit", prefix: "horizon/", limit: 7 },
    ]);
  });

  test("finds one entry's among all of them", async () => {
    const { client } = await openTestAdmin(history());
    const { records } = await client(LedgerService).listHistory({ project, key: "flag/a" });
    expect(records).toHaveLength(100);
    expect(new Set(records.map(({ key }) => key))).toEqual(new Set(["flag/a"]));
    expect(records.at(-1)?.atMs).toBe(3n);
  });

  test("asks the store for nothing when the project has no name", async () => {
    const { client, access } = await openTestAdmin(history());
    const error = await failureOf(client(LedgerService).listHistory({ project: "horizon/" }));
    expect(error.kind).toBe("invalid");
    expect(error.message).toMatch(/^project: /);
    expect(access.listed).toEqual([]);
  });

  test("says that a record is damaged", async () => {
    const access = new FakeAccess();
    access.records = [new Uint8Array([255, 255, 255])];
    const { client } = await openTestAdmin(access);
    const error = await failureOf(client(LedgerService).listHistory({ project }));
    expect(error).toMatchObject({
      kind: "damaged",
      message: "a stored audit record cannot be read",
    });
  });
});
