import { create, fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { TrustSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { CommitRequestSchema } from "../../../gen/headwater/v1/ledgers_pb.ts";
import { WriterKeysSchema } from "../../../gen/headwater/v1/store_pb.ts";
import { prepareCommit } from "../../../relay/ledger/commit.ts";
import { foundLedger } from "../../../relay/ledger/first-head.ts";
import { openBeat, openHead } from "../../../relay/ledger/head.ts";
import { type SigningWriter, type Writer, writerOf } from "../../../relay/ledger/writer.ts";
import { commitEntriesMax } from "../../../relay/limits.ts";
import { extendTrust } from "../../../relay/trust/trusted.ts";
import { Authority, type Entries, epochMs, refusalOf, valueOf } from "../authority.ts";

const one = Buffer.from("1");

describe("a commit", () => {
  const authority = new Authority();

  test("raises the sequence by one, and names the head before", () => {
    const ledger = authority.ledger();
    const before = ledger.head!;
    authority.commit(ledger, { "flag/a": one });
    expect(ledger.position).toMatchObject({ term: 1, seq: before.position.seq + 1 });
    expect(ledger.head!.head.prevHeadHash).toEqual(before.hash);
    const judge = { trusted: authority.trusted, wallMs: epochMs };
    expect(openHead(ledger.head!.envelope, ledger.name, judge).ok).toBe(true);
  });

  test("that changes nothing is none", () => {
    const ledger = authority.ledger({ "flag/a": one });
    expect(authority.prepare(ledger, { "flag/a": one, "flag/b": undefined })).toBeUndefined();
  });

  test.each<[string, Entries]>([
    ["a kind that nobody knows", { "future/a": one }],
    ["a kind that every object has", { "constructor/a": one }],
  ])("refuses %s", (_, changes) => {
    expect(() => authority.prepare(authority.ledger(), changes)).toThrow(/no kind/);
  });

  test("may delete what it could not write", () => {
    const ledger = authority.ledger();
    expect(() => authority.prepare(ledger, { "future/a": undefined })).not.toThrow();
  });

  test("refuses more entries than fit a commit, and a position that has passed", () => {
    const ledger = authority.ledger();
    const { writer } = authority;
    const tombstones = Array.from({ length: commitEntriesMax + 1 }, (_, n) => `flag/${n}`);
    const refusal = (request: Parameters<typeof create<typeof CommitRequestSchema>>[1]) =>
      refusalOf(
        prepareCommit({
          ledger,
          writer,
          request: create(CommitRequestSchema, request),
          wallMs: epochMs,
        }),
      );
    expect(refusal({ tombstones })).toContain("limit");
    const { position } = ledger;
    const entries = [{ key: "flag/a", value: one }];
    expect(refusal({ expected: position!, entries })).toBe("");
    authority.commit(ledger, { "flag/b": one });
    expect(refusal({ expected: position!, entries })).toContain("conflict");
    expect(refusal({ entries })).toBe("");
  });
});

describe("a writer whose time is over signs nothing", () => {
  const powersOf = (writer: SigningWriter) =>
    [{ case: "ledgerKey", value: { term: 2, key: writer.ledgerKey.publicKey } }] as const;

  test("not when another has taken over in a later term: the ledger would go back (I3)", () => {
    const second = new Authority().writerOf(2, "standby");
    const authority = new Authority({ powers: powersOf(second) });
    const ledger = authority.ledger();
    const request = create(CommitRequestSchema, { entries: [{ key: "flag/a", value: one }] });
    const change = valueOf(prepareCommit({ ledger, writer: second, request, wallMs: epochMs }));
    ledger.accept(change!);
    expect(ledger.position).toMatchObject({ term: 2, seq: 1 });
    expect(() => authority.prepare(ledger, { "flag/b": one })).toThrow(/forbidden.*newer writer/);
  });

  test("not when its grant has ended: everybody else would refuse it", () => {
    const authority = new Authority();
    const ledger = authority.ledger();
    const { ledgerKey, beatKey } = authority.writer;
    const grants = [
      authority.grant(
        { case: "ledgerKey", value: { term: 1, key: ledgerKey.publicKey } },
        epochMs + 10,
      ),
      authority.grant({ case: "beatKey", value: { key: beatKey.publicKey } }),
    ];
    const trust = create(TrustSchema, { roots: [authority.root], grants });
    ledger.trusted = valueOf(extendTrust(ledger.name, undefined, trust));
    expect(authority.commit(ledger, { "flag/a": one }, epochMs + 9)).toBeDefined();
    expect(() => authority.prepare(ledger, { "flag/b": one }, epochMs + 10)).toThrow(/forbidden/);
  });
});

describe("founding a ledger", () => {
  const authority = new Authority();
  const { project, trust, writer } = authority;
  const found = (of: { project?: string; trust?: typeof authority.trust; writer?: Writer }) =>
    foundLedger({ project, trust, writer, head: undefined, wallMs: epochMs, ...of });

  test("gives an empty one at 1.1 that a stranger can check", () => {
    const { ledger, trusted, change } = valueOf(found({}));
    expect(ledger.name.authority).toEqual(authority.id);
    expect(change.head).toMatchObject({ position: { term: 1, seq: 1 }, head: { entriesCount: 0 } });
    const judge = { trusted, wallMs: epochMs };
    expect(openHead(change.head.envelope, ledger.name, judge).ok).toBe(true);
  });

  test.each([
    ["a name that is none", { project: "no such/project" }, "not a name"],
    ["no root", { trust: create(TrustSchema) }, "without a root"],
    ["a root of another project", { project: "oslo" }, "of project"],
    [
      "a root that grants nothing",
      { trust: create(TrustSchema, { roots: [authority.root] }) },
      "grants: none",
    ],
    ["another writer's keys", { writer: new Authority({ name: "other" }).writer }, "grants: none"],
    ["another writer's beat key", { writer: mixed() }, "beat key"],
  ])("is refused with %s", (_, of, why) => {
    expect(refusalOf(found(of))).toContain(why);
  });

  function mixed(): Writer {
    const { ledgerKey } = authority.writer;
    const { beatKey } = new Authority({ name: "other" }).writer;
    return writerOf(
      create(WriterKeysSchema, { term: 1, ledgerSeed: ledgerKey.seed, beatSeed: beatKey.seed }),
    );
  }
});

test("a writer is the same after it was stored, and its beats check", () => {
  const authority = new Authority();
  const ledger = authority.ledger();
  const keys = fromBinary(WriterKeysSchema, authority.writer.record(ledger.name));
  expect(keys.ledger).toMatchObject(ledger.name);
  const restored = writerOf(keys);
  expect(restored.ledgerKey?.publicKey).toEqual(authority.writer.ledgerKey.publicKey);
  const beat = restored.beat(ledger, epochMs)!;
  expect(openBeat(beat.envelope, { trusted: authority.trusted, wallMs: epochMs }).ok).toBe(true);
  expect(restored.beat(authority.emptyLedger(), epochMs)).toBeUndefined();
});
