import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { LibrarySchema } from "../../../gen/headwater/v1/flag_pb.ts";
import {
  ConfirmRequestSchema,
  GiveBackRequestSchema,
  type JoinToken,
  ReplicateRequestSchema,
} from "../../../gen/headwater/v1/mesh_pb.ts";
import type { Peer } from "../../../relay/event.ts";
import { framesAfter, LedgerFrames } from "../../../relay/link/ledger-frames.ts";
import { Authority, refusalOf, seedOf, valueOf } from "../authority.ts";
import { framesTo, kindsOf } from "../child-node.ts";
import { frameOf } from "../link/mirror.ts";
import { rootNode, type SteppedNode } from "../stepped-node.ts";

const secret = new Authority({ project: "oslo" });
const oslo = { authority: secret.id, project: "oslo" };

/** A root of two projects, and a child with a token for the first. */
function linked(): { root: SteppedNode; peer: Peer } {
  const root = rootNode();
  const { ledgerKey, beatKey } = secret.writer;
  const seeds = { ledgerSeed: ledgerKey.seed, beatSeed: beatKey.seed };
  root.ask((call) => ({ kind: "prepare-ledger", call, project: "oslo", ...seeds }));
  const { trust } = secret;
  valueOf(root.ask((call) => ({ kind: "create-ledger", call, project: "oslo", trust })));
  const token = valueOf(
    root.ask<JoinToken>((call) => ({
      kind: "add-child",
      call,
      name: "acme",
      expiresMs: 0,
      projects: ["horizon"],
      addresses: ["parent:1"],
      certificate: new Uint8Array(0),
      id: seedOf("acme").subarray(16),
    })),
  );
  return { root, peer: { by: "credential", credential: token.credential } };
}

test("what a token does not name is not there, also for a child that asks for it later", () => {
  const { root, peer } = linked();
  const holdings = [{ ledger: oslo }];
  const request = create(ReplicateRequestSchema, { protocol: 2, node: "c1", holdings });
  root.tell({ kind: "child-opened", link: 7, peer, request });
  const again = create(ConfirmRequestSchema, { node: "c1", again: holdings });
  const effects = root.tell({ kind: "child-confirmed", call: 9, peer, request: again });
  expect(framesTo(effects, 7).map((bytes) => frameOf(bytes).case)).toEqual([]);
  expect(kindsOf(effects)).toEqual(["answer"]);
});

test("what a token names brings its libraries, of the authority that it vouches for", () => {
  const asked = (authority: Uint8Array): string[] => {
    const { root, peer } = linked();
    const value = toBinary(LibrarySchema, create(LibrarySchema, { project: "oslo", authority }));
    valueOf(root.commit({ "library/oslo": value }));
    const request = create(ReplicateRequestSchema, {
      protocol: 2,
      node: "c1",
      holdings: [{ ledger: oslo }],
    });
    const effects = root.tell({ kind: "child-opened", link: 7, peer, request });
    return framesTo(effects, 7).map((bytes) => frameOf(bytes).case ?? "");
  };
  expect(asked(secret.id)).toContain("snapshotEnd");
  expect(asked(seedOf("other"))).toEqual(["welcome"]);
});

test("what a token does not name nobody gives back either, nor shows that there is more of it", () => {
  const { root, peer } = linked();
  const ahead = secret.ledger({ "flag/a": Buffer.from("1"), "flag/b": Buffer.from("2") });
  secret.commit(ahead, { "flag/a": undefined });
  const held = { ledger: ahead, frames: new LedgerFrames(ahead) };
  const frames = framesAfter(held, { trustDigest: new Uint8Array(0) });
  const before = root.node.reads.progress("oslo");
  for (const frame of frames) {
    const request = create(GiveBackRequestSchema, { node: "c1", frame });
    valueOf(root.ask((call) => ({ kind: "ledger-given-back", call, peer, request })));
  }
  const proof = { ledger: oslo, trust: secret.trust, head: ahead.head!.envelope };
  const shown = create(ConfirmRequestSchema, { node: "c1", ahead: [proof] });
  expect(kindsOf(root.tell({ kind: "child-confirmed", call: 9, peer, request: shown }))).toEqual([
    "answer",
  ]);
  expect(root.node.reads.progress("oslo")).toBe(before);
});

test("a child that gives back is called by a name, which is short", () => {
  const { root, peer } = linked();
  const request = create(GiveBackRequestSchema, { node: "c1\n".repeat(100_000) });
  const outcome = root.ask((call) => ({ kind: "ledger-given-back", call, peer, request }));
  expect(refusalOf(outcome)).toContain("node: not a name");
});
