import { describe, expect, test } from "vitest";
import { type ReplicateResponse } from "../../../gen/headwater/v1/mesh_pb.ts";
import {
  backoffMsMax,
  barMsMin,
  dialDeadlineMs,
  heartbeatIntervalMs,
  minuteMs,
  retryAfterMsMax,
  takenRetryMs,
} from "../../../relay/cadence.ts";
import { Ledger } from "../../../relay/ledger/ledger.ts";
import { LedgerFrames } from "../../../relay/link/ledger-frames.ts";
import { protocolVersion } from "../../../relay/link/protocol.ts";
import { Authority } from "../authority.ts";
import { growth } from "../growth.ts";
import { authority, Child, nodeId, theirs } from "./child.ts";
import { frameOf } from "./mirror.ts";

const other = new Authority({ project: "oslo" });

describe("dialling", () => {
  test("is at once, and asks for what is held and wanted", () => {
    const child = new Child([authority.ledger(), other.emptyLedger()]);
    expect(child.links.dueAtMonoMs).toBe(0);
    const [dial] = child.tick(0);
    expect(dial).toMatchObject({
      kind: "dial",
      dial: {
        upstream: "up",
        address: "a:1",
        request: { site: "site", protocol: protocolVersion },
      },
    });
    const holdings = dial?.kind === "dial" ? dial.dial.request.holdings : [];
    expect(holdings.map((one) => [one.ledger?.project, one.position?.seq])).toEqual([
      ["horizon", 1],
      ["oslo", undefined],
    ]);
    expect(child.tick(1)).toEqual([]);
  });

  test("of a joined upstream asks for the projects that its token named", () => {
    const child = new Child([authority.ledger(), other.ledger()], { projects: ["oslo"] });
    const [dial] = child.tick(0);
    const holdings = dial?.kind === "dial" ? dial.dial.request.holdings : [];
    expect(holdings.map((one) => one.ledger?.project)).toEqual(["oslo"]);
  });

  test("tries the addresses in turn", () => {
    const child = new Child([], { addresses: ["a:1", "b:1", "c:1"] });
    const dialled = Array.from({ length: 4 }, () => child.dialNext());
    expect(dialled).toEqual(["a:1", "b:1", "c:1", "a:1"]);
  });

  test("that is not answered in time is given up, and waited after", () => {
    const child = new Child([]);
    child.tick(0);
    expect(child.links.dueAtMonoMs).toBe(dialDeadlineMs);
    expect(child.tick(dialDeadlineMs - 1)).toEqual([]);
    expect(child.tick(dialDeadlineMs)).toEqual([{ kind: "hang-up", upstream: "up" }]);
    expect(child.uplink.state.kind).toBe("waiting");
    expect(child.uplink.problem).toBe("no answer in time");
  });
});

describe("a link that is open", () => {
  test("is taken down after two heartbeats of silence", () => {
    const child = new Child([]);
    child.welcomed(0);
    for (const atMs of [1000, 20_000, 45_000]) child.hear(heartbeat, atMs);
    const endMs = 45_000 + 2 * heartbeatIntervalMs;
    expect(child.links.dueAtMonoMs).toBe(endMs);
    expect(child.tick(endMs - 1)).toEqual([]);
    expect(child.tick(endMs)).toEqual([{ kind: "hang-up", upstream: "up" }]);
    expect(child.uplink.problem).toContain("nothing heard");
  });

  test.each([
    [0, 1000],
    [5000, 5000],
    [4_000_000_000, 4 * heartbeatIntervalMs],
  ])("to a parent that beats every %i ms is expected to beat every %i ms", (said, expected) => {
    const child = new Child([]);
    child.welcomed(0, { heartbeatMs: said });
    expect(child.links.dueAtMonoMs).toBe(2 * expected);
  });

  test("knows its parent; what is said on a link that has ended is not heard", () => {
    const child = new Child([authority.ledger()]);
    child.welcomed(0);
    expect(child.uplink).toMatchObject({ parent: { site: "openstack", node: "p1" }, problem: "" });
    child.links.closed("up", "reset", 1);
    child.offer({ outcome: "RESUME" }, 2);
    expect(child.uplink.state.kind).toBe("waiting");
    expect(child.primary).toBeUndefined();
  });
});

describe("back-off", () => {
  test("grows while links open and die without anything having been applied (I13)", () => {
    const waits = waitsOf(new Child([authority.ledger()]), (child) => child.welcomed(child.nowMs));
    expect(Math.max(...waits.slice(0, 1))).toBeLessThan(500);
    expect(Math.max(...waits)).toBeGreaterThan(5000);
    expect(Math.max(...waits)).toBeLessThan(backoffMsMax);
  });

  test("grows though changes arrive, as long as none is durable, and starts again with one", () => {
    const source = authority.ledger();
    const frames = new LedgerFrames(source);
    const bring = (child: Child): void => {
      child.welcomed(child.nowMs);
      for (const bytes of [frames.trust()!, ...frames.snapshot()!.frames])
        child.hear(frameOf(bytes), child.nowMs);
    };
    expect(Math.max(...waitsOf(new Child([authority.emptyLedger()]), bring))).toBeGreaterThan(5000);
    const applied = waitsOf(new Child([authority.emptyLedger()]), (child) => {
      bring(child);
      child.links.applied("up", []);
    });
    expect(Math.max(...applied)).toBeLessThan(500);
  });

  test("waits for as long as the parent asks, within reason", () => {
    const child = new Child([]);
    child.welcomed(0);
    const effects = child.goodbye({ reason: "OVERLOAD", retryAfterMs: 60_000 }, 100);
    expect(effects[0]).toEqual({ kind: "hang-up", upstream: "up" });
    const againAtMs = child.links.dueAtMonoMs!;
    expect(againAtMs).toBeGreaterThanOrEqual(60_100);
    expect(againAtMs).toBeLessThanOrEqual(90_100);
    child.welcomed(againAtMs);
    child.goodbye({ reason: "OVERLOAD", retryAfterMs: 4_000_000_000 }, againAtMs);
    expect(child.links.dueAtMonoMs).toBeLessThanOrEqual(againAtMs + 15 * minuteMs);
  });

  test("is not the same for all who were told the same", () => {
    const waits = [1, 2, 3].map((seed) => {
      const child = new Child([], { seed });
      child.welcomed(0);
      child.goodbye({ reason: "OVERLOAD", retryAfterMs: 60_000 }, 0);
      return child.links.dueAtMonoMs;
    });
    expect(new Set(waits).size).toBe(3);
  });

  test("of two nodes that replace each other grows, so that they do not take turns for ever", () => {
    const child = new Child([]);
    const waits = Array.from({ length: 8 }, () => {
      child.tick(child.links.dueAtMonoMs!);
      child.welcomed(child.nowMs);
      child.links.applied("up", []);
      child.goodbye({ reason: "REPLACED" }, child.nowMs);
      return child.links.dueAtMonoMs! - child.nowMs;
    });
    expect(waits[0]).toBeGreaterThanOrEqual(takenRetryMs);
    expect(waits[7]).toBeGreaterThanOrEqual(retryAfterMsMax);
  });
});

test("what a goodbye says for people is one line of a bounded length", () => {
  const child = new Child([]);
  child.welcomed(0);
  child.goodbye({ reason: "PROTOCOL", message: `node: \n\u001b[31m${"x".repeat(9_000)}` }, 1);
  expect(child.uplink.problem).toMatch(/protocol: node: +\[31mx+$/);
  expect(child.uplink.problem.length).toBeLessThan(400);
});

test.each([
  ["DRAIN", "stopping"],
  ["OVERLOAD", "overloaded"],
  ["REVOKED", "revoked"],
  ["REPLACED", "another node"],
  ["TAKEN", "HEADWATER_NAME"],
  ["TERMINATED", "for good"],
  ["PROTOCOL", "protocol"],
  ["SOMETHING", '"SOMETHING"'],
])("a goodbye with %s is told apart from a lost link (I15)", (reason, words) => {
  const child = new Child([]);
  child.welcomed(0);
  child.goodbye({ reason }, 1);
  expect(child.uplink.problem).toContain(words);
});

describe("the primary of a ledger", () => {
  test("is the first listed upstream that serves it", () => {
    const child = new Child([authority.ledger()]);
    child.add("second");
    child.welcomed(0);
    child.welcomed(0, {}, "second");
    child.offer({ outcome: "RESUME" }, 1, "second");
    expect(child.primary).toBe("second");
    child.offer({ outcome: "EMPTY" }, 1);
    expect(child.primary).toBe("second");
    child.offer({ outcome: "SNAPSHOT" }, 2);
    expect(child.primary).toBe("up");
    child.links.closed("up", "reset", 3);
    expect(child.primary).toBe("second");
  });

  test.each(["EMPTY", "BEHIND", "DENIED"])("is none that says %s", (outcome) => {
    const child = new Child([authority.ledger()]);
    child.welcomed(0);
    child.offer({ outcome }, 1);
    expect(child.primary).toBeUndefined();
  });

  test("is none that has it from here: loops are refused, per ledger", () => {
    const child = new Child([authority.ledger()]);
    child.welcomed(0);
    child.offer({ outcome: "RESUME", hops: [theirs, nodeId] }, 1);
    expect(child.primary).toBeUndefined();
    child.offer({ outcome: "RESUME", hops: [theirs] }, 1);
    expect(child.primary).toBe("up");
  });
});

test("a thousand ledgers that are barred at once are asked for anew in one call, and at once", () => {
  const times = growth({ few: 75, many: 1_500 }, (count) => {
    const ids = Array.from({ length: count }, (_, n) => `p${n}`);
    const ledgers = ids.map((project) => new Ledger({ authority: authority.id, project }));
    const child = new Child(ledgers, { projects: ids });
    child.welcomed(0, { protocol: 2 });
    for (const ledger of ledgers)
      child.links.bar("up", { ledger, why: "not durable", isWrong: false }, 1);
    return () => {
      const [asked] = child.tick(barMsMin + 1);
      expect(asked?.kind === "confirm" && asked.request.again.length).toBe(count);
    };
  });
  expect(times).toBeLessThan(80);
}, 60_000);

const heartbeat: ReplicateResponse["frame"] = {
  case: "heartbeat",
  value: { $typeName: "headwater.v1.Heartbeat", beats: [] },
};

/** The waits before each of many links, which all end at once after `during`. */
function waitsOf(child: Child, during: (child: Child) => void): number[] {
  return Array.from({ length: 30 }, () => {
    during(child);
    child.links.closed("up", "reset", child.nowMs);
    const waitMs = child.links.dueAtMonoMs! - child.nowMs;
    child.nowMs += waitMs;
    return waitMs;
  });
}
