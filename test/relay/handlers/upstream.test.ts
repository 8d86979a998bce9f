import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ProjectPinSchema, ReplicateRequestSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { showAgainIntervalMs } from "../../../relay/cadence.ts";
import type { Effect } from "../../../relay/effect.ts";
import { deltaSince } from "../../../relay/ledger/delta.ts";
import { frameBytesMax, offersBurstMax } from "../../../relay/limits.ts";
import { Authority } from "../authority.ts";
import {
  authority,
  bring,
  childOf,
  encoded,
  hear,
  kindsOf,
  upstreamSettings,
} from "../child-node.ts";
import { growth } from "../growth.ts";
import { SteppedNode } from "../stepped-node.ts";

const parent = new TextEncoder().encode("parent..");
const behind = encoded("offer", { outcome: "BEHIND", hops: [parent] });

function held(): SteppedNode {
  const child = childOf();
  bring(child, authority.ledger());
  return child;
}

/** Kinds of the effects of some frames, one after the other, with how many there are of each. */
function counted(child: SteppedNode, frames: readonly Uint8Array[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of frames.flatMap((bytes) => kindsOf(hear(child, bytes))))
    counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

test("a parent that is behind gets back what it lacks once in a link, however often it says so", () => {
  const child = held();
  const empty = encoded("offer", { outcome: "EMPTY", hops: [parent] });
  const offers = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? behind : empty));
  expect(counted(child, offers)["give-back"]).toBe(1);
  child.tell({ kind: "upstream-closed", upstream: "openstack", why: "reset" });
  const dialled = (effects: readonly Effect[]): boolean => kindsOf(effects).includes("dial");
  expect(dialled(child.wait(60_000))).toBe(true);
  expect(counted(child, [behind])["give-back"]).toBe(1);
});

test("of each ledger that a parent lacks it is shown proof once, and not of all each time", () => {
  const others = ["oslo", "bergen"].map((project) => new Authority({ project }));
  const all = [authority, ...others];
  const pins = all.map(({ project, id }) => create(ProjectPinSchema, { project, authority: id }));
  const child = new SteppedNode({ upstreams: [upstreamSettings], pins });
  child.wait(0);
  bring(child, ...all.map((one) => one.ledger()));
  const proofs = all.map(({ project, id }) => {
    const ledger = { authority: id, project };
    return hear(child, encoded("offer", { ledger, outcome: "BEHIND", hops: [parent] })).flatMap(
      (effect) => (effect.kind === "confirm" ? effect.request.ahead.length : []),
    );
  });
  expect(proofs).toEqual([[1], [1], [1]]);
});

test("while a parent is behind, what else comes from it is confirmed without all proofs each time", () => {
  const lacking = ["oslo", "bergen"].map((project) => new Authority({ project }));
  const all = [authority, ...lacking];
  const pins = all.map(({ project, id }) => create(ProjectPinSchema, { project, authority: id }));
  const child = new SteppedNode({ upstreams: [upstreamSettings], pins });
  child.wait(0);
  const written = authority.ledger();
  bring(child, written, ...lacking.map((one) => one.ledger()));
  for (const { project, id } of lacking) {
    const ledger = { authority: id, project };
    hear(child, encoded("offer", { ledger, outcome: "BEHIND", hops: [parent] }));
  }
  const proofs = (): number[] => {
    const previous = written.position!;
    authority.commit(written, { "flag/a": Buffer.from(String(written.position?.seq)) });
    return hear(child, encoded("delta", deltaSince(written, previous)!)).flatMap((effect) =>
      effect.kind === "confirm" ? effect.request.ahead.length : [],
    );
  };
  expect([proofs(), proofs(), proofs()]).toEqual([[0], [0], [0]]);
  child.monoMs += showAgainIntervalMs;
  expect([proofs(), proofs()]).toEqual([[2], [0]]);
});

/** A node with so many ledgers, all of which fifty children have. */
function widelyHeld(names: readonly { authority: Uint8Array; project: string }[]): SteppedNode {
  const pins = names.map((name) => create(ProjectPinSchema, name));
  const node = new SteppedNode({ upstreams: [upstreamSettings], pins });
  node.wait(0);
  const holdings = names.map((ledger) => ({ ledger }));
  const request = create(ReplicateRequestSchema, { protocol: 2, node: "c1", holdings });
  const sendsOf = (effects: readonly Effect[]): number =>
    effects.filter(({ kind }) => kind === "send").length;
  for (let link = 0; link < 50; link++) {
    const peer = { by: "certificate", name: `c${link}` } as const;
    let framesCount = sendsOf(node.tell({ kind: "child-opened", link, peer, request }));
    while (framesCount > 0) {
      const flushed = [{ link, framesCount, bytes: frameBytesMax }];
      framesCount = sendsOf(node.tell({ kind: "children-flushed", flushed }));
    }
  }
  return node;
}

test("offers of what comes as before cost nothing, however many children and ledgers there are", () => {
  const times = growth({ few: 25, many: 500 }, (count) => {
    const names = Array.from({ length: count }, (_, n) => ({
      authority: authority.id,
      project: `p${n}`,
    }));
    const node = widelyHeld(names);
    const offers = names.map((ledger) =>
      encoded("offer", { ledger, outcome: "EMPTY", hops: [parent] }),
    );
    return () => {
      for (const offer of offers) hear(node, offer);
    };
  });
  expect(times).toBeLessThan(80);
}, 60_000);

describe("a link ends when it is flooded with", () => {
  const other = encoded("offer", { outcome: "RESUME", hops: [parent, parent] });
  const welcome = encoded("welcome", { protocol: 2, site: "openstack", node: "p1" });
  test.each<[string, readonly Uint8Array[]]>([
    ["offers", [encoded("offer", { outcome: "RESUME", hops: [parent] }), other]],
    [
      "offers that are none",
      [encoded("offer", { outcome: "RESUME", hops: Array(40).fill(parent) })],
    ],
    ["welcomes", [welcome]],
    ["frames of no kind", [new Uint8Array(0)]],
  ])("%s", (_, frames) => {
    const child = held();
    const many = Array.from({ length: offersBurstMax + 20 }, (_, n) => frames[n % frames.length]!);
    expect(counted(child, many)["hang-up"]).toBe(1);
  });
});
