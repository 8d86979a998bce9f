import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  type CommitRequest,
  CommitRequestSchema,
  UpdateTrustRequestSchema,
} from "../../gen/headwater/v1/ledgers_pb.ts";
import { signHead } from "../../relay/ledger/head.ts";
import type { Ledger } from "../../relay/ledger/ledger.ts";
import type { SigningKey } from "../../relay/trust/key.ts";
import { contentOf, keyOf, valueOf } from "./authority.ts";
import { authority, openChild } from "./child-node.ts";
import { flagEntry } from "./layers/entries.ts";
import { Mirror } from "./link/mirror.ts";
import { SteppedNode } from "./stepped-node.ts";
import { nextTrust, powersOf, project } from "./succession-scene.ts";

const ledger = { authority: authority.id, project };
const formerKey = authority.writer.ledgerKey;
const newKey = keyOf("new machine in CI");

/** A change as the machine signs it that has the key; the ledger is its own copy. */
function signed(copy: Ledger, key: SigningKey, basisPoints?: number): CommitRequest {
  const puts = basisPoints === undefined ? {} : flagEntry("alpha", { basisPoints });
  const entries = Object.entries(puts).map(([name, value]) => ({ key: name, value: value! }));
  const staged = valueOf(copy.stage({ entries, tombstones: [] }));
  const { digest, count } = staged.set;
  const head = signHead({
    ledger: copy.name,
    position: { term: 1, seq: (copy.position?.seq ?? 0) + 1, digest },
    previous: copy.head,
    entriesCount: count,
    wallMs: Date.UTC(2026, 0, 1),
    key,
  });
  copy.accept(valueOf(copy.changeTo(head, staged)));
  return create(CommitRequestSchema, { ledger, entries, head: head.envelope });
}

/** A node that only beats: its heads are signed by the machine whose copy comes with it. */
function beatingRoot(): { root: SteppedNode; copy: Ledger } {
  const root = new SteppedNode({ site: "openstack" });
  const copy = authority.emptyLedger();
  const { publicKey: ledgerKey } = formerKey;
  const seeds = { ledgerSeed: new Uint8Array(0), beatSeed: authority.writer.beatKey.seed };
  const prepared = { kind: "prepare-ledger", project, ledgerKey, ...seeds } as const;
  valueOf(root.ask((call) => ({ ...prepared, call })));
  const { head } = signed(copy, formerKey);
  const created = { kind: "create-ledger", project, trust: authority.trust, head } as const;
  valueOf(root.ask((call) => ({ ...created, call })));
  return { root, copy };
}

function commit(root: SteppedNode, request: CommitRequest): void {
  valueOf(root.ask((call) => ({ kind: "commit", call, request })));
}

function problems(root: SteppedNode): string {
  return root.node.reads.status({ wallMs: root.wallMs, monoMs: root.monoMs }).problems.join("\n");
}

test("a ledger key that is replaced within its term: who comes gets what its successor has signed, and nothing before", () => {
  const { root, copy } = beatingRoot();
  commit(root, signed(copy, formerKey, 100));
  openChild(root);
  expect(problems(root)).not.toMatch(/key that was replaced/);
  const [, beat] = powersOf(authority, [1]);
  const trust = nextTrust(authority, [
    { case: "ledgerKey", value: { term: 1, key: newKey.publicKey } },
    beat!,
  ]);
  const request = create(UpdateTrustRequestSchema, { ledger, trust });
  valueOf(root.ask((call) => ({ kind: "update-trust", call, request })));
  expect(problems(root)).toMatch(/horizon: its newest head is signed by a key that was replaced/);
  const early = new Mirror(authority);
  early.hearAll(openChild(root).frames);
  expect(early.ledger.position).toBeUndefined();
  expect(early.ledger.trusted?.root.version).toBe(2);
  commit(root, signed(copy, newKey, 200));
  expect(problems(root)).not.toMatch(/key that was replaced/);
  const late = new Mirror(authority);
  late.hearAll(openChild(root).frames);
  expect(contentOf(late.ledger)).toEqual(contentOf(copy));
});
