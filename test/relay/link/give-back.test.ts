import { create, fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  GiveBackRequestSchema,
  ReplicateResponseSchema,
} from "../../../gen/headwater/v1/mesh_pb.ts";
import type { Ledger } from "../../../relay/ledger/ledger.ts";
import { returnsCountMax } from "../../../relay/limits.ts";
import { Returns } from "../../../relay/link/give-back.ts";
import { framesAfter, LedgerFrames } from "../../../relay/link/ledger-frames.ts";
import { Authority, epochMs, valueOf } from "../authority.ts";

test("so many children may be giving back; one more takes the place of who was silent longest", () => {
  const authority = new Authority();
  const behind = authority.ledger();
  const served = { ledger: behind, frames: new LedgerFrames(behind), hops: [new Uint8Array(8)] };
  const returns = new Returns(() => new Map([[behind.id, served]]));
  const ahead = newer(authority);
  const trustDigest = new Uint8Array(0);
  const frames = framesAfter(
    { ledger: ahead, frames: new LedgerFrames(ahead) },
    { trustDigest },
  ).filter(({ frame }) => frame.case?.startsWith("snapshot"));
  const give = (child: number, at: number): string => {
    const request = create(GiveBackRequestSchema, { frame: frames[at]! });
    return valueOf(returns.hear(`site/${child}`, request, epochMs)).kind;
  };
  for (let child = 0; child < returnsCountMax; child++) expect(give(child, 0)).toBe("partial");
  expect(give(0, 1)).toBe("partial");
  expect(give(returnsCountMax, 0)).toBe("partial");
  expect([give(0, 2), give(1, 1)]).toEqual(["change", "known"]);
});

test("of what is held here already nothing is kept, so that no child fills this node with it", () => {
  const authority = new Authority();
  const ledger = authority.ledger();
  const old = new LedgerFrames(ledger).snapshot()!.frames;
  authority.commit(ledger, { "flag/a": Buffer.from("1") });
  const served = { ledger, frames: new LedgerFrames(ledger), hops: [new Uint8Array(8)] };
  const returns = new Returns(() => new Map([[ledger.id, served]]));
  for (const frames of [old, new LedgerFrames(ledger).snapshot()!.frames]) {
    const kinds = frames.map((bytes) => {
      const frame = fromBinary(ReplicateResponseSchema, bytes);
      return valueOf(returns.hear("site/c", create(GiveBackRequestSchema, { frame }), epochMs))
        .kind;
    });
    expect(new Set(kinds)).toEqual(new Set(["known"]));
  }
});

test("frames of nothing take no place of a snapshot that is under way", () => {
  const authority = new Authority();
  const behind = authority.ledger();
  const served = { ledger: behind, frames: new LedgerFrames(behind), hops: [new Uint8Array(8)] };
  const returns = new Returns(() => new Map([[behind.id, served]]));
  const [begin, ...rest] = new LedgerFrames(newer(authority)).snapshot()!.frames;
  const give = (child: string, bytes: Uint8Array): string => {
    const frame = fromBinary(ReplicateResponseSchema, bytes);
    return valueOf(returns.hear(child, create(GiveBackRequestSchema, { frame }), epochMs)).kind;
  };
  expect(give("site/c", begin!)).toBe("partial");
  for (let n = 0; n < returnsCountMax; n++) give(`other/${n}`, new Uint8Array(0));
  expect(rest.map((bytes) => give("site/c", bytes))).toEqual(["partial", "change"]);
});

test("who holds nothing takes nothing: what was lost may be newer than what a child gives unasked", () => {
  const authority = new Authority();
  const lost = authority.emptyLedger();
  const served = { ledger: lost, frames: new LedgerFrames(lost), hops: [new Uint8Array(8)] };
  const returns = new Returns(() => new Map([[lost.id, served]]));
  const kinds = new LedgerFrames(newer(authority)).snapshot()!.frames.map((bytes) => {
    const frame = fromBinary(ReplicateResponseSchema, bytes);
    return valueOf(returns.hear("site/c", create(GiveBackRequestSchema, { frame }), epochMs)).kind;
  });
  expect(new Set(kinds)).toEqual(new Set(["known"]));
});

/** What a child holds whose parent is one step behind. */
function newer(authority: Authority): Ledger {
  const ledger = authority.ledger();
  authority.commit(ledger, { "flag/a": Buffer.from("1") });
  return ledger;
}
