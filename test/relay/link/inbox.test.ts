import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type Envelope, EnvelopeSchema, TrustSchema } from "../../../gen/headwater/v1/ledger_pb.ts";
import {
  HeartbeatSchema,
  type ReplicateResponse,
  ReplicateResponseSchema,
  TrustUpdateSchema,
} from "../../../gen/headwater/v1/mesh_pb.ts";
import { deltaSince } from "../../../relay/ledger/delta.ts";
import type { SignedBeat } from "../../../relay/ledger/head.ts";
import type { Ledger } from "../../../relay/ledger/ledger.ts";
import { frameBytesMax } from "../../../relay/limits.ts";
import { encodeFrame, LedgerFrames } from "../../../relay/link/ledger-frames.ts";
import { trustMessage } from "../../../relay/trust/trusted.ts";
import { Authority, contentOf, epochMs, keyOf, sealedRoot } from "../authority.ts";
import { Mirror } from "./mirror.ts";

const authority = new Authority();
const one = Buffer.from("1");

test("nothing is taken before its authority's documents are known (I4)", () => {
  const ledger = authority.ledger();
  const child = new Mirror(authority);
  const frames = new LedgerFrames(ledger);
  const snapshot = frames.snapshot()!.frames;
  expect(child.hearAll(snapshot)).toEqual(["resync", "known", "known"]);
  expect(child.ledger.position).toBeUndefined();
  expect(child.hearAll([frames.trust()!, ...snapshot])).toEqual([
    "trust",
    "partial",
    "partial",
    "change",
  ]);
});

test("trust that is known already is no news, that of strangers is refused", () => {
  const child = new Mirror(authority);
  const update = trustFrame(authority, authority.ledger());
  expect(child.hearAll([update, update])).toEqual(["trust", "known"]);
  const stranger = new Authority({ name: "mallory" });
  const forged = trustFrame(stranger, authority.ledger());
  expect(child.hearAll([forged])).toEqual([expect.stringContaining("differs")]);
  expect(new Mirror(authority).hearAll([forged])).toEqual([expect.stringContaining("pinned")]);
});

test("what a relay puts around signed documents does not grow on the way down", () => {
  const { child, ledger } = held();
  const padding = create(EnvelopeSchema, {
    signatures: [{ sig: new Uint8Array(frameBytesMax) }],
  }).signatures;
  const padded = (envelope: Envelope): Envelope => ({
    ...envelope,
    signatures: [...envelope.signatures, ...padding],
  });
  const grant = authority.grant({ case: "beatKey", value: { key: keyOf("beat").publicKey } });
  const trust = create(TrustSchema, { grants: [padded(grant)] });
  const before = ledger.position!;
  authority.commit(ledger, { "flag/a": one });
  const delta = deltaSince(ledger, before)!;
  delta.head = padded(delta.head!);
  const heard = child.hearAll([
    encodeFrame({
      case: "trustUpdate",
      value: create(TrustUpdateSchema, { ledger: nameOf(ledger), trust }),
    }),
    encodeFrame({ case: "delta", value: delta }),
  ]);
  expect(heard).toEqual([
    "grants: one is not signed by root version 1",
    "head: 1.2 is not signed by its ledger key",
  ]);
});

test("frames of ledgers that are not held here come to nothing", () => {
  const ledger = authority.ledger();
  const before = ledger.position!;
  authority.commit(ledger, { "flag/a": one });
  const frames = new LedgerFrames(ledger);
  const child = new Mirror(new Authority({ project: "oslo" }));
  const all = [
    frames.trust()!,
    ...frames.snapshot()!.frames,
    frames.delta(before)!,
    beatFrame(ledger, beatOf(ledger, 0)),
  ];
  expect(new Set(child.hearAll(all))).toEqual(new Set(["known"]));
});

describe("a snapshot in parts", () => {
  const entries = Object.fromEntries(
    Array.from({ length: 10 }, (_, n) => [`flag/${n}`, Buffer.alloc(15_000, n)]),
  );

  test("that is interrupted by the beginning of another is forgotten (I5)", () => {
    const [old, ledger] = [authority.ledger(entries), authority.ledger(entries)];
    authority.commit(ledger, { "flag/0": one });
    const [first, second] = [old, ledger].map((of) => new LedgerFrames(of).snapshot()!.frames);
    const child = trusting();
    child.hearAll(first!.slice(0, 2));
    expect(child.hearAll(second!).at(-1)).toBe("change");
    expect(contentOf(child.ledger)).toEqual(contentOf(ledger));
  });

  test("may be mixed with beats and trust of the same ledger, and with parts of others", () => {
    const oslo = new Authority({ project: "oslo" });
    const child = new Mirror(authority, oslo);
    const [ours, theirs] = [authority.ledger(entries), oslo.ledger(entries)];
    const [a, b] = [ours, theirs].map((of) => new LedgerFrames(of));
    child.hearAll([a!.trust()!, b!.trust()!]);
    const [x, y] = [a!.snapshot()!.frames, b!.snapshot()!.frames];
    const mixed = x.flatMap((frame, n) => [frame, y[n]!, a!.trust()!]);
    expect(child.hearAll(mixed).filter((kind) => kind === "change")).toHaveLength(2);
    expect(contentOf(child.ledger)).toEqual(contentOf(ours));
  });

  test("whose key has ended with its root before the last part came is refused", () => {
    const ledger = authority.ledger(entries);
    const child = trusting();
    const [begin, ...rest] = new LedgerFrames(ledger).snapshot()!.frames;
    const { project, rootKey } = authority;
    const keys = { keys: [rootKey], signers: [rootKey] };
    const roots = [sealedRoot({ project, version: 2, ...keys })];
    const value = { ledger: nameOf(ledger), trust: { roots, grants: [] } };
    const rotation = encodeFrame({ case: "trustUpdate", value: create(TrustUpdateSchema, value) });
    const heard = child.hearAll([begin!, rotation, ...rest]);
    expect(heard[1]).toBe("trust");
    expect(heard.at(-1)).toBe("head: no grant for a ledger key of term 1");
    expect(child.ledger.position).toBeUndefined();
  });

  test("one part of which is wrong is refused whole; its further parts come to nothing", () => {
    const frames = new LedgerFrames(authority.ledger(entries)).snapshot()!.frames;
    const child = trusting();
    const [begin, first, second, ...rest] = frames;
    const heard = child.hearAll([begin!, second!, first!, ...rest]);
    expect(heard[1]).toContain("chunk 1, expected 0");
    expect(new Set(heard.slice(2))).toEqual(new Set(["known"]));
    expect(child.ledger.position).toBeUndefined();
    expect(child.hearAll(frames).at(-1)).toBe("change");
  });
});

describe("a beat", () => {
  test("about the head that is held counts once, and never goes back", () => {
    const { child, ledger } = held();
    const [old, young] = [beatOf(ledger, 0), beatOf(ledger, 1000)];
    expect(child.hearAll([beatFrame(ledger, old)])).toEqual(["beats"]);
    expect(child.hearAll([beatFrame(ledger, old)])).toEqual(["known"]);
    expect(child.hearAll([beatFrame(ledger, young), beatFrame(ledger, old)])).toEqual([
      "beats",
      "known",
    ]);
    expect(child.ledger.beat?.issuedMs).toBe(young.issuedMs);
  });

  test("is one of its ledger: who sends more takes the time of others", () => {
    const { child, ledger } = held();
    const [old, young] = [beatOf(ledger, 0), beatOf(ledger, 1000)];
    expect(child.hearAll([beatFrame(ledger, young, old, old)])).toEqual([
      "beats: two of one ledger",
    ]);
    expect(child.ledger.beat).toBeUndefined();
  });

  test("about a head that has not come says that something was lost on the way", () => {
    const { child, ledger } = held();
    authority.commit(ledger, { "flag/a": one }, epochMs + 10);
    const frame = beatFrame(ledger, beatOf(ledger, 20));
    expect(child.hearAll([frame])).toEqual(["a beat about a head that has not come"]);
    expect(trusting().hearAll([frame])).toEqual(["a beat, and nothing is held"]);
    const heard = child.hear(frame);
    expect(heard).toMatchObject({ value: { beats: [], troubles: [{ isWrong: false }] } });
  });

  test("says so too where the head that is held came while the clock was ahead", () => {
    const { child, ledger } = held();
    const [before, dayMs] = [ledger.position!, 24 * 3_600_000];
    authority.commit(ledger, { "flag/a": one }, epochMs + dayMs);
    child.hear(new LedgerFrames(ledger).delta(before)!, epochMs + dayMs);
    expect(child.ledger.position).toEqual(ledger.position);
    authority.commit(ledger, { "flag/b": one }, epochMs + 10);
    expect(child.hearAll([beatFrame(ledger, beatOf(ledger, 20))])).toEqual([
      "a beat about a head that has not come",
    ]);
  });

  test("about the head before is no news", () => {
    const { child, ledger } = held();
    const late = beatFrame(ledger, beatOf(ledger, 5));
    const before = ledger.position!;
    authority.commit(ledger, { "flag/a": one }, epochMs + 10);
    child.hearAll([new LedgerFrames(ledger).delta(before)!]);
    expect(child.hearAll([late])).toEqual(["known"]);
    expect(child.ledger.beat).toBeUndefined();
  });

  test("that is wrong takes nothing from the others of its frame (I8)", () => {
    const oslo = new Authority({ project: "oslo" });
    const child = new Mirror(authority, oslo);
    const [ours, theirs] = [authority.ledger(), oslo.ledger()];
    for (const ledger of [ours, theirs]) {
      const frames = new LedgerFrames(ledger);
      const trusted = ledger === ours ? authority : oslo;
      child.hearAll([trustFrame(trusted, ledger), ...frames.snapshot()!.frames]);
    }
    const forged = beatOf(ours, 1000, new Authority({ name: "mallory" }));
    const good = beatOf(theirs, 1000, oslo);
    const value = create(HeartbeatSchema, {
      beats: [
        { ledger: nameOf(ours), beat: forged.envelope },
        { ledger: nameOf(theirs), beat: good.envelope },
      ],
    });
    const heard = child.hear(encodeFrame({ case: "heartbeat", value }));
    expect(heard).toMatchObject({
      value: {
        beats: [{ ledger: { id: theirs.id } }],
        troubles: [{ ledger: { id: ours.id }, isWrong: true }],
      },
    });
    const nameless = create(HeartbeatSchema, { beats: [{ ledger: nameOf(ours) }] });
    expect(child.hearAll([encodeFrame({ case: "heartbeat", value: nameless })])).toEqual([
      "beats: one without an envelope",
    ]);
  });
});

test("frames that are about the link, or about no ledger, are nothing to a ledger", () => {
  const ofLink = (["welcome", "offer", "goodbye"] as const).map(emptyFrame);
  expect(trusting().hearAll([...ofLink, encodeFrame({ case: undefined })])).toEqual([
    "partial",
    "partial",
    "partial",
    "partial",
  ]);
  const kinds = ["trustUpdate", "delta", "snapshotBegin", "snapshotChunk", "snapshotEnd"] as const;
  const ofNothing = [...kinds.map(emptyFrame), emptyFrame("heartbeat")];
  expect(new Set(trusting().hearAll(ofNothing))).toEqual(new Set(["known"]));
});

function emptyFrame(kind: NonNullable<ReplicateResponse["frame"]["case"]>): Uint8Array {
  const init = { frame: { case: kind, value: {} } } as MessageInitShape<
    typeof ReplicateResponseSchema
  >;
  return toBinary(ReplicateResponseSchema, create(ReplicateResponseSchema, init));
}

function trusting(): Mirror {
  const child = new Mirror(authority);
  child.ledger.trusted = authority.trusted;
  return child;
}

function held(): { child: Mirror; ledger: Ledger } {
  const [child, ledger] = [trusting(), authority.ledger()];
  child.hearAll(new LedgerFrames(ledger).snapshot()!.frames);
  return { child, ledger };
}

function beatOf(ledger: Ledger, afterMs: number, by: Authority = authority): SignedBeat {
  return by.writer.beat(ledger, epochMs + afterMs)!;
}

function nameOf({ name }: Ledger) {
  return { authority: name.authority, project: name.project };
}

function beatFrame(ledger: Ledger, ...beats: readonly SignedBeat[]): Uint8Array {
  const value = create(HeartbeatSchema, {
    beats: beats.map(({ envelope }) => ({ ledger: nameOf(ledger), beat: envelope })),
  });
  return encodeFrame({ case: "heartbeat", value });
}

function trustFrame(by: Authority, ledger: Ledger): Uint8Array {
  const value = create(TrustUpdateSchema, {
    ledger: nameOf(ledger),
    trust: trustMessage(by.trusted),
  });
  return encodeFrame({ case: "trustUpdate", value });
}
