import { create, fromBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import {
  PeerMessageSchema,
  RecordDigestsSchema,
  SiteRecordsSchema,
} from "../../../gen/headwater/v1/fanout_pb.ts";
import { type Trial as TrialRecord, TrialSchema } from "../../../gen/headwater/v1/store_pb.ts";
import { chunkBytesMax, sharedAnswerBytesMax, trialInstancesMax } from "../../../relay/limits.ts";
import { Peers } from "../../../relay/link/peers.ts";
import { SiteMemory } from "../../../relay/site/site-memory.ts";
import { type Stamp, slicesApart, slicesOf, stampOf } from "../../../relay/site/slices.ts";
import { Trial } from "../../../relay/telemetry/trial/trial.ts";
import { trialProblem } from "../../../relay/telemetry/trial/trial-problem.ts";
import { deriveSecret, SigningKey } from "../../../relay/trust/key.ts";
import { epochMs, seedOf } from "../authority.ts";
import { rootNode } from "../stepped-node.ts";
import { hourMs } from "../telemetry/fixture.ts";

describe("slices", () => {
  const stamps = Array.from({ length: 100 }, (_, n) => stampOf(`key-${n}`, "1"));

  test("are equal in whatever order, and tell where two sets are not", () => {
    expect(slicesOf(stamps)).toEqual(slicesOf(stamps.toReversed()));
    expect(slicesApart(slicesOf(stamps), slicesOf(stamps)).size).toBe(0);
    const changed = [...stamps.slice(1), stampOf("key-0", "2")];
    expect([...slicesApart(slicesOf(stamps), slicesOf(changed))]).toEqual([stamps[0]!.slice]);
    expect(slicesOf([])).toEqual(new Uint8Array(0));
  });

  test("that are none stand for nothing", () => {
    const apart = slicesApart(slicesOf(stamps), new Uint8Array(7));
    expect(apart).toEqual(slicesApart(slicesOf(stamps), new Uint8Array(0)));
  });
});

describe("what one answer brings", () => {
  const stamps = Array.from({ length: 1_000 }, (_, n) => stampOf(`trial-${n}`, "1"));

  /** A node that holds a trial of so many bytes for each stamp, and how many were written out. */
  function holding(of: readonly { stamp: Stamp; bytes: number }[]) {
    const made = { count: 0 };
    const shared = of.map(({ stamp, bytes }) => ({
      stamp,
      trial: {
        toRecord: () => {
          made.count++;
          return create(TrialSchema, { name: `${bytes}`, members: new Uint8Array(bytes) });
        },
      },
    }));
    const memory = new SiteMemory({
      telemetry: undefined,
      trials: { shared } as never,
      rollouts: { shared: [] } as never,
      holdings: {} as never,
    });
    const nothing = create(RecordDigestsSchema, { trials: new Uint8Array(0) });
    const brought = (): TrialRecord[] =>
      [...memory.lacking(nothing, epochMs)].flatMap(({ trials }) => trials);
    return { made, brought };
  }

  test("is all that is written out for it, and the next one begins elsewhere", () => {
    const { made, brought } = holding(stamps.map((stamp) => ({ stamp, bytes: chunkBytesMax })));
    const count = brought().length;
    expect(count).toBe(Math.floor(sharedAnswerBytesMax / (chunkBytesMax + 100)));
    expect(made.count).toBeLessThanOrEqual(count + 1);
  });

  test("is not held back by a record that no message takes", () => {
    const [stamp, ...others] = stamps;
    const beside = others.find(({ slice }) => slice === stamp!.slice);
    const { brought } = holding([
      { stamp: stamp!, bytes: 3 * 1024 * 1024 },
      { stamp: beside!, bytes: 100 },
    ]);
    expect(brought().map(({ name }) => name)).toEqual(["100"]);
  });
});

const hashOf = (n: number): number => n * 1_000_003 + 7;

/** What a node has counted of instances, some of which have failed. */
function counted(instances: readonly number[], of: { failed?: number; startedMs?: number } = {}) {
  const { failed = 0, startedMs = epochMs } = of;
  const trial = Trial.begin({ project: "horizon", kind: "RELEASE", name: "2.0", startedMs });
  for (const [at, n] of instances.entries())
    trial.take({
      arm: "subject",
      instance: hashOf(n),
      health: at < failed ? "FAILED" : "OK",
      interval: 0,
    });
  return trial;
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, n) => from + n);

describe("a trial that two nodes have counted", () => {
  test.for([
    ["all of the same instances", range(0, 30), range(0, 30)],
    ["none of the same", range(0, 30), range(30, 60)],
    ["some of the same", range(0, 30), range(20, 50)],
    ["fewer", range(0, 30), range(0, 3)],
  ] as const)(
    "has %s is a union, whichever hears of the other, and however often",
    ([, one, other]) => {
      const [a, b] = [counted(one, { failed: 2 }), counted(other, { startedMs: epochMs - 5 })];
      const [copyOfA, copyOfB] = [a, b].map((trial) => Trial.of(copyOf(trial)));
      a.merge(copyOfB!);
      a.merge(Trial.of(copyOf(b)));
      b.merge(copyOfA!);
      const all = new Set([...one, ...other]).size;
      expect(a.arm("subject")).toEqual({
        instances: all,
        unwell: 2,
        failed: 2,
        halfIntervals: expect.closeTo(all, -1),
      });
      expect(a.version).toBe(b.version);
      expect(a.startedMs).toBe(epochMs - 5);
    },
  );

  test("is that of the later run where one was begun again", () => {
    const first = counted(range(0, 3));
    const lookMs = 72 * hourMs;
    const again = counted(range(0, 3), { startedMs: epochMs + lookMs });
    expect([again.isAfter(first, hourMs), first.isAfter(again, hourMs)]).toEqual([true, false]);
    const late = counted(range(0, 3), { startedMs: epochMs + hourMs });
    expect(late.isAfter(first, hourMs)).toBe(false);
    first.close();
    expect(late.isAfter(first, hourMs)).toBe(true);
  });
});

function copyOf(trial: Trial): TrialRecord {
  return fromBinary(TrialSchema, trial.toBytes());
}

describe("what is said in the name of another node", () => {
  const good = () => copyOf(counted(range(0, 30)));

  test.for<[string, (record: TrialRecord) => void]>([
    ["of another kind", (one) => (one.kind = "MOOD")],
    ["of a name that is none", (one) => (one.name = "a/b")],
    ["from the future", (one) => (one.startedMs = BigInt(epochMs + 10 * hourMs))],
    ["cut off", (one) => (one.members = one.members.subarray(1))],
    [
      "of instances without end",
      (one) => (one.members = new Uint8Array(7 * 3 * trialInstancesMax)),
    ],
    ["judged in an unknown way", (one) => (one.judgement = 9)],
    ["looked at too often", (one) => (one.looksCount = 9)],
    ["with more that failed than there are", (one) => (one.subject!.failed = 31)],
    ["without a side", (one) => (one.control = undefined)],
    ["of terms without end", (one) => (one.terms = new Uint8Array(1_000))],
  ])("a trial %s is refused", ([, spoil]) => {
    const record = good();
    expect(trialProblem(record, epochMs)).toBeUndefined();
    spoil(record);
    expect(trialProblem(record, epochMs)).toBeDefined();
  });

  test.for<[string, string]>([
    ["without the site's key", "site of somebody else"],
    ["with it", "openstack"],
  ])("changes a node only %s", ([, secret]) => {
    const root = rootNode();
    const sent = {
      atMs: BigInt(root.wallMs),
      upstream: "acme",
      outcome: "ACCEPTED",
      document: {
        project: "horizon",
        kind: "HEALTH",
        disclosure: "EXACT",
        window: 5n,
        windowMs: 1000,
        health: {},
      },
    };
    const records = create(SiteRecordsSchema, { sent: [sent, { ...sent, upstream: "" }] });
    const siteSeed = deriveSecret({ secret: seedOf(secret), purpose: "site key" });
    const peers = new Peers({ node: "n2", siteKey: new SigningKey(siteSeed) });
    const message = create(PeerMessageSchema, { node: "n2", body: peers.seal.records(records) });
    root.tell({ kind: "peer-spoke", message });
    expect(root.storedKeys("sent")).toHaveLength(secret === "openstack" ? 1 : 0);
  });

  test("an ask with digests of any bytes is answered", () => {
    const root = rootNode();
    const digests = create(RecordDigestsSchema, { sent: new Uint8Array(3), trials: seedOf("x") });
    const ask = { node: "n2", holdings: [], records: digests };
    const answer = root.ask((call) => ({ kind: "peer-asked", call, ask: ask as never }));
    expect(answer.ok).toBe(true);
  });
});
