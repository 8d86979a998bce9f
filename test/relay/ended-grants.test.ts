import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { PeerAskSchema, type PeerMessage } from "../../gen/headwater/v1/fanout_pb.ts";
import { TrustSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import { minuteMs } from "../../relay/cadence.ts";
import type { Ledger } from "../../relay/ledger/ledger.ts";
import { extendTrust } from "../../relay/trust/trusted.ts";
import { epochMs, valueOf } from "./authority.ts";
import { authority, bring, childOf, encoded, hear, openChild } from "./child-node.ts";
import { frameOf } from "./link/mirror.ts";
import type { SteppedNode } from "./stepped-node.ts";

/** A ledger whose ledger key and beat key are granted until some time each; 0 is for ever. */
function ledgerUntil(of: { ledgerKeyMs?: number; beatKeyMs?: number }): Ledger {
  const { ledgerKey, beatKey } = authority.writer;
  const { ledgerKeyMs = 0, beatKeyMs = 0 } = of;
  const grants = [
    authority.grant(
      { case: "ledgerKey", value: { term: 1, key: ledgerKey.publicKey } },
      ledgerKeyMs,
    ),
    authority.grant({ case: "beatKey", value: { key: beatKey.publicKey } }, beatKeyMs),
  ];
  const ledger = authority.emptyLedger();
  const trust = create(TrustSchema, { roots: [authority.root], grants });
  ledger.trusted = valueOf(extendTrust(ledger.name, undefined, trust));
  authority.commit(ledger, { "release/0": new Uint8Array(0) });
  return ledger;
}

const endMs = epochMs + 10 * minuteMs;

/** A node in the middle that holds it, with its beat. */
function holding(ledger: Ledger): SteppedNode {
  const node = childOf();
  node.wait(1_000);
  bring(node, ledger);
  const beat = authority.writer.beat(ledger, epochMs + 1_000)!;
  const name = { authority: authority.id, project: "horizon" };
  node.tell({ kind: "fanout-changed", connected: true, problem: "" });
  const beats = [{ ledger: name, beat: beat.envelope }];
  hear(node, encoded("heartbeat", { beats }));
  return node;
}

/** The kinds of frames that a peer which holds nothing of it gets. */
function answered(node: SteppedNode): (string | undefined)[] {
  const ask = create(PeerAskSchema, {
    holdings: [{ ledger: { authority: authority.id, project: "horizon" } }],
  });
  const messages = node.ask<PeerMessage[]>((call) => ({ kind: "peer-asked", call, ask }));
  return valueOf(messages).flatMap(({ body }) =>
    body.case === "frame" ? body.value.frame.case : [],
  );
}

describe("a head whose grant has ended by its date", () => {
  test("goes to nobody any more, who would refuse it, and is held", () => {
    const node = holding(ledgerUntil({ ledgerKeyMs: endMs }));
    expect(openedKinds(node)).toContain("snapshotEnd");
    expect(answered(node)).toContain("snapshotEnd");
    node.wait(10 * minuteMs);
    expect(openedKinds(node)).toEqual(["welcome", "offer", "trustUpdate"]);
    expect(answered(node)).toEqual(["trustUpdate"]);
    expect(node.flags()).toEqual({});
    node.restart();
    node.wait(0);
    expect(node.flags()).toEqual({});
    expect(openedKinds(node)).toEqual(["welcome", "offer", "trustUpdate"]);
  });
});

test("a beat whose grant has ended by its date goes to nobody any more, and the flags do", () => {
  const node = holding(ledgerUntil({ beatKeyMs: endMs }));
  expect(openedKinds(node)).toContain("heartbeat");
  expect(answered(node)).toContain("heartbeat");
  node.wait(10 * minuteMs);
  expect(openedKinds(node)).toContain("snapshotEnd");
  expect(openedKinds(node)).not.toContain("heartbeat");
  expect(answered(node)).not.toContain("heartbeat");
});

function openedKinds(node: SteppedNode): (string | undefined)[] {
  const { id, frames } = openChild(node);
  node.tell({ kind: "child-closed", link: id });
  return frames.map((bytes) => frameOf(bytes).case);
}
