import { create, fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { TrustSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import { ReplicateResponseSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { staleAfterMs } from "../../relay/cadence.ts";
import type { Ledger } from "../../relay/ledger/ledger.ts";
import { LedgerFrames } from "../../relay/link/ledger-frames.ts";
import { epochMs, sealedRoot } from "./authority.ts";
import { authority, bring, childOf, encoded, hear, openChild } from "./child-node.ts";
import { flagEntry } from "./layers/entries.ts";
import type { SteppedNode } from "./stepped-node.ts";

describe("a restart", () => {
  const held = () => {
    const child = childOf();
    const ledger = authority.ledger({
      ...flagEntry("alpha", { basisPoints: 700 }),
      ...flagEntry("gone", { basisPoints: 1 }),
    });
    bring(child, ledger);
    return { child, ledger };
  };

  test("serves what was held, at the position where it was, with its age (I3, I11)", () => {
    const { child, ledger } = held();
    hear(child, beatFrame(ledger, 1000));
    child.wait(staleAfterMs);
    child.restart();
    expect(child.flags()).toEqual({ alpha: 700, gone: 1 });
    expect(child.node.reads.freshness("horizon", child.wallMs)).toBe("FRESH");
    expect(child.node.reads.freshness("horizon", child.wallMs + 1001)).toBe("STALE");
    const [dial] = child.wait(0).filter(({ kind }) => kind === "dial");
    expect(dial).toMatchObject({ dial: { request: { holdings: [{ position: { seq: 1 } }] } } });
  });

  test("after damage serves nothing of it, says so, and is whole again once it was fetched", () => {
    const buckets = ["head", "entry", "trust"] as const;
    for (const bucket of buckets) {
      const { child, ledger } = held();
      authority.commit(ledger, { "flag/gone": undefined });
      damage(child, bucket);
      child.restart();
      expect(child.node.reads.damaged()).toHaveLength(1);
      expect(child.flags()).toBeUndefined();
      expect(child.node.reads.freshness("horizon", child.wallMs)).toBe("EMPTY");
      child.wait(0);
      bring(child, ledger);
      expect(child.flags()).toEqual({ alpha: 700 });
      child.restart();
      expect(child.node.reads.damaged()).toEqual([]);
      expect(child.flags()).toEqual({ alpha: 700 });
    }
  });

  test("after damage gives no delta from positions whose steps are lost", () => {
    const [child, grandchild] = [childOf(), childOf()];
    const ledger = authority.ledger();
    bring(child, ledger);
    bring(grandchild, ledger);
    const step = (flag: string, basisPoints: number): Uint8Array => {
      const from = ledger.position!;
      authority.commit(ledger, flagEntry(flag, { basisPoints }));
      const delta = new LedgerFrames(ledger).delta(from)!;
      hear(child, delta);
      return delta;
    };
    hear(grandchild, step("alpha", 1));
    step("alpha", 2);
    step("alpha", 3);
    damage(child, "head");
    child.restart();
    child.wait(0);
    bring(child, ledger);
    step("beta", 4);
    child.restart();
    expect(child.flags()).toEqual({ alpha: 3, beta: 4 });
    for (const frame of openChild(child, grandchild).frames) hear(grandchild, frame);
    expect(grandchild.flags()).toEqual({ alpha: 3, beta: 4 });
  });

  test("after the root was rotated still has what was signed before, until more comes", () => {
    const { child } = held();
    rotateRoots(child);
    for (let restarts = 0; restarts < 2; restarts++) {
      child.restart();
      expect(child.node.reads.damaged()).toEqual([]);
      expect(child.flags()).toEqual({ alpha: 700, gone: 1 });
    }
  });

  test("after the root was rotated serves nothing that nobody has signed", () => {
    const { child } = held();
    rotateRoots(child);
    damage(child, "head");
    child.restart();
    expect(child.node.reads.damaged()).toEqual([
      expect.stringContaining("no ledger key of its term"),
    ]);
    expect(child.flags()).toBeUndefined();
  });

  test("says that what it serves comes by way of itself", () => {
    const { child } = held();
    child.restart();
    const offer = openChild(child).frames.map(
      (bytes) => fromBinary(ReplicateResponseSchema, bytes).frame,
    );
    expect(offer.find((one) => one.case === "offer")?.value).toMatchObject({
      hops: [child.settings.nodeId],
    });
  });
});

/** Two newer roots, under which nobody may sign anything. */
function rotateRoots(child: SteppedNode): void {
  const key = authority.rootKey;
  const roots = [authority.root];
  for (const version of [2, 3]) {
    roots.push(sealedRoot({ project: "horizon", version, keys: [key], signers: [key] }));
    hear(child, encoded("trustUpdate", { trust: create(TrustSchema, { roots }) }));
  }
}

/** Flips the last bit of the first record that has one. */
function damage({ stored }: SteppedNode, bucket: string): void {
  const record = [...stored.values()].find((one) => one.bucket === bucket && one.value.length > 0);
  record!.value[record!.value.length - 1]! ^= 1;
}

function beatFrame(ledger: Ledger, afterMs: number): Uint8Array {
  const beat = authority.writer.beat(ledger, epochMs + afterMs)!;
  const beats = [{ ledger: { authority: authority.id, project: "horizon" }, beat: beat.envelope }];
  return encoded("heartbeat", { beats });
}
