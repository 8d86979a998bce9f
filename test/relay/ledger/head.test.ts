import { clone, create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type Head, HeadSchema, TrustSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import { beatExpiryMs, clockSkewMsMax } from "../../../relay/cadence.ts";
import { isAbout, openBeat, openHead, readHead, signBeat } from "../../../relay/ledger/head.ts";
import { ledgerEntriesMax } from "../../../relay/limits.ts";
import { payloadType, seal } from "../../../relay/trust/envelope.ts";
import { sha256 } from "../../../relay/trust/key.ts";
import { extendTrust } from "../../../relay/trust/trusted.ts";
import { Authority, epochMs, keyOf, refusalOf, valueOf } from "../authority.ts";

const authority = new Authority();
const ledger = authority.ledger();
const judge = { trusted: authority.trusted, wallMs: epochMs };
const { ledgerKey, beatKey } = authority.writer;

describe("a head", () => {
  test("is opened as it was signed, byte for byte (I7)", () => {
    const { envelope } = ledger.head!;
    const opened = valueOf(openHead(envelope, ledger.name, judge));
    expect(opened.envelope).toBe(envelope);
    expect(opened.position).toEqual(ledger.position);
    expect(opened.hash).toEqual(sha256(envelope.payload));
  });

  test.each<[string, string, (head: Head) => void]>([
    ["no ledger", "not a head", (head) => void (head.ledger = undefined)],
    ["no position", "not a head", (head) => void (head.position = undefined)],
    ["another project", "another ledger", (head) => void (head.ledger!.project = "oslo")],
    ["another authority", "another ledger", (h) => void (h.ledger!.authority = sha256())],
    ["a short digest", "out of bounds", (h) => void (h.position!.digest = new Uint8Array(31))],
    ["too many entries", "out of bounds", (h) => void (h.entriesCount = ledgerEntriesMax + 1)],
    ["term 0", "no grant", (head) => void (head.position!.term = 0)],
  ])("with %s is refused, though its key has signed it (I4)", (_, why, by) => {
    const head = clone(HeadSchema, ledger.head!.head);
    by(head);
    const payload = toBinary(HeadSchema, head);
    const envelope = seal({ type: payloadType.head, payload, keys: [ledgerKey] });
    expect(refusalOf(openHead(envelope, ledger.name, judge))).toContain(why);
  });

  test("is not taken from a beat key, nor under another type", () => {
    const { payload } = ledger.head!.envelope;
    for (const { type, key } of [
      { type: payloadType.head, key: beatKey },
      { type: payloadType.head, key: authority.rootKey },
      { type: payloadType.grant, key: ledgerKey },
    ])
      expect(
        refusalOf(openHead(seal({ type, payload, keys: [key] }), ledger.name, judge)),
      ).toContain("not signed by its ledger key");
  });

  test("is no longer believed when the grant of its key has ended", () => {
    const power = { case: "ledgerKey", value: { term: 1, key: ledgerKey.publicKey } } as const;
    const grants = [authority.grant(power, epochMs + 1000)];
    const trust = create(TrustSchema, { roots: [authority.root], grants });
    const trusted = valueOf(extendTrust(ledger.name, undefined, trust));
    const at = (wallMs: number) =>
      refusalOf(openHead(ledger.head!.envelope, ledger.name, { trusted, wallMs }));
    expect(at(epochMs + 999)).toBe("");
    expect(at(epochMs + 1000)).toContain("no grant");
    expect(readHead(ledger.head!.envelope, ledger.name).ok).toBe(true);
  });
});

describe("a beat", () => {
  const beat = signBeat({ head: ledger.head!, wallMs: epochMs, key: beatKey });

  test("is about the head that it names, and says until when that counts", () => {
    const opened = valueOf(openBeat(beat.envelope, judge));
    expect(opened).toMatchObject({ issuedMs: epochMs, expiresMs: epochMs + beatExpiryMs });
    expect(isAbout(opened, ledger.head!)).toBe(true);
    const next = authority.ledger({ "flag/a": Buffer.from("1") });
    expect(isAbout(opened, next.head!)).toBe(false);
  });

  test("from the future is refused, a little of it is allowed", () => {
    const signed = (wallMs: number) => signBeat({ head: ledger.head!, wallMs, key: beatKey });
    const refusal = (wallMs: number) => refusalOf(openBeat(signed(wallMs).envelope, judge));
    expect(refusal(epochMs + clockSkewMsMax)).toBe("");
    expect(refusal(epochMs + clockSkewMsMax + 1)).toContain("future");
  });

  test("is signed by a beat key and nothing else", () => {
    for (const key of [ledgerKey, authority.rootKey, keyOf("mallory")]) {
      const forged = signBeat({ head: ledger.head!, wallMs: epochMs, key });
      expect(refusalOf(openBeat(forged.envelope, judge))).toContain("not signed by a beat key");
    }
    const asHead = { ...beat.envelope, payloadType: payloadType.head };
    expect(refusalOf(openBeat(asHead, judge))).toContain("not signed");
  });
});
