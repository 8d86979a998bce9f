import { fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReplicateResponseSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import type { Happening } from "../../nodes/access.ts";
import { backoffMsMin, dayMs } from "../../relay/cadence.ts";
import type { Effect } from "../../relay/effect.ts";
import { LedgerFrames } from "../../relay/link/ledger-frames.ts";
import { epochMs, refusalOf, seedOf, valueOf } from "./authority.ts";
import {
  authority,
  bring,
  childOf,
  encoded,
  hear,
  kindsOf,
  openChild,
  sendsTo,
  tokenOf,
} from "./child-node.ts";
import { flagEntry } from "./layers/entries.ts";
import { Crash, rootNode, SteppedNode } from "./stepped-node.ts";
import { weightsDocument } from "./telemetry/fixture.ts";

describe("what an operator asks for", () => {
  const seeds = { ledgerSeed: seedOf("l"), beatSeed: seedOf("b") };
  const asked: readonly [string, () => SteppedNode, (call: number) => Happening][] = [
    [
      "prepare-ledger",
      () => new SteppedNode(),
      (call) => ({ kind: "prepare-ledger", call, project: "oslo", ...seeds }),
    ],
    [
      "create-ledger",
      prepared,
      (call) => ({ kind: "create-ledger", call, project: "horizon", trust: authority.trust }),
    ],
    ["commit", rootNode, commitOf("alpha")],
    ["add-child", rootNode, addChildOf("acme")],
    ["revoke-child", withChild, (call) => ({ kind: "revoke-child", call, name: "acme" })],
    ["join", () => new SteppedNode(), (call) => ({ kind: "join", call, token: tokenOf() })],
    [
      "set-disclosure",
      joined,
      (call) => ({ kind: "set-disclosure", call, level: "ROUNDED", upstream: "" }),
    ],
    ["document-received", rootNode, documentFrom("acme")],
  ];

  test.each(asked)(
    "%s: a disk that fails answers `unavailable`, and nothing is changed",
    (_, make, happening) => {
      const stepped = make();
      const [before, records] = [stateOf(stepped), storedOf(stepped)];
      stepped.disk = "full";
      const outcome = stepped.ask(happening);
      expect(refusalOf(outcome)).toContain("unavailable: nothing was changed: the disk is full");
      expect(outcome).toMatchObject({ refusal: { hint: expect.any(String) } });
      expect([stateOf(stepped), storedOf(stepped)]).toEqual([before, records]);
      stepped.disk = "good";
      expect(stepped.ask(happening).ok).toBe(true);
    },
  );

  test.each(asked)(
    "%s: a crash after the write leaves what an answer would have promised",
    (_, make, happening) => {
      const [crashed, answered] = [make(), make()];
      crashed.disk = "crash";
      expect(() => crashed.ask(happening)).toThrow(Crash);
      crashed.disk = "good";
      crashed.restart();
      valueOf(answered.ask(happening));
      answered.restart();
      expect(stateOf(crashed)).toEqual(stateOf(answered));
    },
  );

  test("nothing else happens between a write and its outcome", () => {
    const { node } = rootNode();
    const at = { wallMs: epochMs, monoMs: 0 };
    const [effect] = node.step({ ...commitOf("alpha")(1), at } as never);
    expect(effect?.kind).toBe("persist");
    expect(() => node.step({ kind: "tick", at })).toThrow("tick came before the outcome");
    expect(node.step({ kind: "persisted", at }).map(({ kind }) => kind)).toContain("answer");
    expect(() => node.step({ kind: "persisted", at })).toThrow("nothing was to be persisted");
  });
});

test("no acknowledged commit is ever lost, and no refused one is ever there (I1, I3)", () => {
  const step = fc.record({
    flag: fc.constantFrom("alpha", "beta", "gamma"),
    basisPoints: fc.integer({ min: 0, max: 10_000 }),
    disk: fc.constantFrom("good", "good", "full", "crash"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 15 }), (steps) => {
      const root = rootNode();
      const expected: Record<string, number> = {};
      let seq = 1;
      for (const { flag, basisPoints, disk } of steps) {
        root.disk = disk as SteppedNode["disk"];
        try {
          if (root.setFlag(flag, basisPoints).ok) expected[flag] = basisPoints;
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Crash);
          root.restart();
          expected[flag] = basisPoints;
        }
        expect(root.flags()).toEqual(expected);
        expect(seqOf(root)).toBeGreaterThanOrEqual(seq);
        seq = seqOf(root);
      }
      root.restart();
      expect(root.flags()).toEqual(expected);
      expect(root.node.reads.damaged()).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test("the same settings and the same events give the same effects", () => {
  const run = (): Effect[] => {
    const child = childOf();
    return [...child.wait(0), ...bring(child, authority.ledger()), ...child.wait(dayMs)];
  };
  expect(run()).toEqual(run());
});

describe("a change from upstream", () => {
  test("is seen by children, peers and apps when it is durable, and not before (I4)", () => {
    const child = childOf();
    child.tell({ kind: "fanout-changed", connected: true, problem: "" });
    bring(child, authority.ledger());
    const link = openChild(child);
    child.disk = "full";
    const ledger = authority.ledger();
    authority.commit(ledger, flagEntry("alpha", { basisPoints: 10_000 }));
    const failed = hear(child, new LedgerFrames(ledger).delta(authority.ledger().position!)!);
    expect(kindsOf(failed)).toEqual(["log", "log"]);
    expect(child.flags()).toEqual({});
    child.disk = "good";
    child.wait(60_000);
    const effects = child.wait(1_000);
    hear(child, encoded("offer", { outcome: "RESUME" }));
    effects.push(...bring(child, ledger));
    expect(kindsOf(effects)).toEqual(expect.arrayContaining(["send", "publish", "expose"]));
    expect(sendsTo(effects, link)).toContain("delta");
    expect(child.flags()).toEqual({ alpha: 10_000 });
  });

  test("that a full disk refuses is fetched more and more rarely (I13)", () => {
    const child = childOf();
    child.disk = "full";
    const waits = Array.from({ length: 12 }, () => {
      child.wait(0);
      bring(child, authority.ledger());
      const before = child.monoMs;
      while (!child.wait(250).some(({ kind }) => kind === "dial")) {
        if (child.monoMs - before > 60_000) throw new Error("it never dials again");
      }
      hear(child, encoded("goodbye"));
      return child.monoMs - before;
    });
    expect(Math.max(...waits)).toBeGreaterThan(4 * backoffMsMin);
  });

  test("that does not check bars its ledger, is told once, and changes nothing (I8)", () => {
    const child = childOf();
    bring(child, authority.ledger());
    const ledger = authority.ledger();
    authority.commit(ledger, flagEntry("alpha"));
    const frame = fromBinary(
      ReplicateResponseSchema,
      new LedgerFrames(ledger).delta(authority.ledger().position!)!,
    );
    if (frame.frame.case === "delta") frame.frame.value.entries[0]!.value = new Uint8Array(1);
    const effects = hear(child, toBinary(ReplicateResponseSchema, frame));
    expect(effects).toMatchObject([
      { kind: "log", entry: { level: "warn", event: "ledger-barred" } },
    ]);
    expect(child.flags()).toEqual({});
    expect(kindsOf(hear(child, toBinary(ReplicateResponseSchema, frame)))).toEqual([]);
  });

  test("of an empty or younger parent never deletes anything (I5, I6)", () => {
    const child = childOf();
    const ledger = authority.ledger(flagEntry("alpha", { basisPoints: 700 }));
    authority.commit(ledger, flagEntry("beta", { basisPoints: 1 }));
    bring(child, ledger);
    for (const outcome of ["EMPTY", "BEHIND", "DENIED"]) hear(child, encoded("offer", { outcome }));
    hear(child, encoded("heartbeat"));
    bring(child, authority.ledger());
    expect(child.flags()).toEqual({ alpha: 700, beta: 1 });
    child.restart();
    expect(child.flags()).toEqual({ alpha: 700, beta: 1 });
  });
});

function prepared(): SteppedNode {
  const stepped = new SteppedNode();
  const { ledgerKey, beatKey } = authority.writer;
  const seeds = { ledgerSeed: ledgerKey.seed, beatSeed: beatKey.seed };
  stepped.ask((call) => ({ kind: "prepare-ledger", call, project: "horizon", ...seeds }));
  return stepped;
}

function withChild(): SteppedNode {
  const root = rootNode();
  root.addChild("acme");
  return root;
}

function joined(): SteppedNode {
  const stepped = new SteppedNode();
  stepped.ask((call) => ({ kind: "join", call, token: tokenOf() }));
  return stepped;
}

function commitOf(flag: string): (call: number) => Happening {
  const entries = Object.entries(flagEntry(flag, { basisPoints: 77 }));
  const request = {
    $typeName: "headwater.v1.CommitRequest" as const,
    ledger: {
      $typeName: "headwater.v1.LedgerName" as const,
      project: "horizon",
      authority: new Uint8Array(0),
    },
    entries: entries.map(([key, value]) => ({
      $typeName: "headwater.v1.Entry" as const,
      key,
      value: value!,
    })),
    tombstones: [],
    actor: "test",
    commit: "",
  };
  return (call) => ({ kind: "commit", call, request });
}

function addChildOf(name: string): (call: number) => Happening {
  const of = {
    expiresMs: 0,
    projects: [],
    addresses: ["parent:1"],
    certificate: new Uint8Array(0),
    id: seedOf(name).subarray(16),
  };
  return (call) => ({ kind: "add-child", call, name, ...of });
}

function documentFrom(name: string): (call: number) => Happening {
  const document = weightsDocument({ "1.0": 500 });
  return (call) => ({
    kind: "document-received",
    call,
    peer: { by: "certificate", name },
    document,
  });
}

function seqOf(stepped: SteppedNode): number {
  const ledger = stepped.node.reads.ledger({ project: "horizon", authority: new Uint8Array(0) }, 0);
  return valueOf(ledger).position?.seq ?? 0;
}

/** All that can be read of a node. */
function stateOf({ node, wallMs, monoMs }: SteppedNode): unknown {
  const { reads } = node;
  const projects = reads.projects();
  const status = reads.status({ wallMs, monoMs });
  // What the disk did last is told as well.
  const problems = status.problems.filter((problem) => !problem.startsWith("nothing new is kept"));
  return {
    status: { ...status, problems },
    pins: reads.pins(),
    children: reads.children(),
    fleets: projects.map((project) => reads.fleet(project, wallMs)),
    ledgers: projects.map((project) =>
      reads.ledger({ project, authority: new Uint8Array(0) }, wallMs),
    ),
    flags: projects.map((project) => [...(reads.table(project, "", wallMs)?.flags ?? [])]),
  };
}

function storedOf({ stored }: SteppedNode): unknown {
  return [...stored.values()].map(({ bucket, key, value }) => [
    bucket,
    key,
    Buffer.from(value).toString("hex"),
  ]);
}
