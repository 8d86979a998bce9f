import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { Envelope } from "../../../gen/headwater/v1/ledger_pb.ts";
import { CommitRequestSchema } from "../../../gen/headwater/v1/ledgers_pb.ts";
import { prepareCommit } from "../../../relay/ledger/commit.ts";
import type { Ledger } from "../../../relay/ledger/ledger.ts";
import { signChange } from "../../../relay/ledger/signed-change.ts";
import { type HeadSigner, Writer } from "../../../relay/ledger/writer.ts";
import { Authority, type Entries, epochMs, keyOf, refusalOf, valueOf } from "../authority.ts";

const authority = new Authority();
const { ledgerKey, beatKey } = authority.writer;
const signer: HeadSigner = { term: 1, ledgerKey };
const beater = new Writer({ term: 1, ledgerSeed: new Uint8Array(0), beatSeed: beatKey.seed });
const one = new Uint8Array([1]);

/** What is committed where only beats are signed, with a head from elsewhere. */
function commit(ledger: Ledger, entries: Entries, head: Envelope | undefined) {
  const puts = Object.entries(entries).map(([key, value]) => ({ key, value: value! }));
  const request = create(CommitRequestSchema, { entries: puts, ...(head && { head }) });
  return prepareCommit({ ledger, writer: beater, request, wallMs: epochMs });
}

function signed(ledger: Ledger, entries: Entries, by: HeadSigner = signer): Envelope {
  const puts = Object.entries(entries).map(([key, value]) => ({ key, value: value! }));
  const of = { ledger, signer: by, entries: puts, tombstones: [], wallMs: epochMs };
  return valueOf(signChange(of)).head.envelope;
}

describe("a head that was signed elsewhere", () => {
  test("is taken with its entries when it is the very next, and nothing is signed here", () => {
    const ledger = authority.ledger();
    expect(refusalOf(commit(ledger, { "flag/a": one }, undefined))).toMatch(
      /^forbidden: head: missing; the ledger key of horizon is not at this node/,
    );
    const head = signed(ledger, { "flag/a": one });
    ledger.accept(valueOf(commit(ledger, { "flag/a": one }, head))!);
    expect(ledger.position).toMatchObject({ term: 1, seq: 2 });
    expect(valueOf(commit(ledger, { "flag/a": one }, head))).toBeUndefined();
  });

  test.each<[string, (ledger: Ledger) => Envelope, RegExp]>([
    [
      "by another key",
      (ledger) => signed(ledger, { "flag/a": one }, { term: 1, ledgerKey: keyOf("thief") }),
      /^forbidden: head: 1\.2 is not signed by its ledger key/,
    ],
    [
      "in a term that was not granted",
      (ledger) => signed(ledger, { "flag/a": one }, { term: 2, ledgerKey }),
      /^forbidden: head: no grant for a ledger key of term 2/,
    ],
    [
      "by who knows of grants that have not come here",
      (ledger) => {
        const elsewhere = authority.ledger();
        const { trusted } = new Authority({
          powers: [{ case: "ledgerKey", value: { term: 2, key: keyOf("later").publicKey } }],
        });
        elsewhere.trusted = trusted;
        expect(elsewhere.position).toEqual(ledger.position);
        return signed(elsewhere, { "flag/a": one });
      },
      /^conflict: head: it knows of 3 grants of root 1, and 2 have come/,
    ],
    [
      "for other entries",
      (ledger) => signed(ledger, { "flag/b": one }),
      /^invalid: digest: the entries are not what the head has signed/,
    ],
    [
      "for a position further on",
      (ledger) => {
        const other = authority.ledger();
        authority.commit(other, { "flag/z": one });
        expect(ledger.position).toMatchObject({ seq: 1 });
        return signed(other, { "flag/a": one });
      },
      /^conflict: head: signed for 1\.3, the next here is 1\.2/,
    ],
    [
      "on top of another head",
      () => {
        const other = authority.emptyLedger();
        authority.commit(other, { "release/9": one });
        return signed(other, { "flag/a": one });
      },
      /^conflict: head: it does not follow the one that is held/,
    ],
  ])("is refused, and nothing is changed: %s", (_, headOf, why) => {
    const ledger = authority.ledger();
    expect(refusalOf(commit(ledger, { "flag/a": one }, headOf(ledger)))).toMatch(why);
    expect(ledger.position).toMatchObject({ term: 1, seq: 1 });
  });

  test("of a kind of entry that nobody knows is refused as if it were signed here", () => {
    const ledger = authority.ledger();
    const head = signed(ledger, { "future/a": one });
    expect(refusalOf(commit(ledger, { "future/a": one }, head))).toMatch(/no kind that this node/);
  });
});

test("a writer without a ledger key beats, and is stored and taken up as such", () => {
  const ledger = authority.ledger();
  expect(beater.mayBeat(ledger, epochMs)).toBe(true);
  expect(beater.beat(ledger, epochMs)?.issuedMs).toBe(epochMs);
});
