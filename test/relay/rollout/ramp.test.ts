import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test, vi } from "vitest";
import { ReceivedDocumentSchema } from "../../../gen/headwater/v1/store_pb.ts";
import type { StoredRecord } from "../../../relay/durable.ts";
import { isReplayed } from "../../../relay/rollout/decision.ts";
import { Fleet } from "../../../relay/telemetry/fleet.ts";
import { Received } from "../../../relay/telemetry/received.ts";
import { epochMs, refusalOf, valueOf } from "../authority.ts";
import { growth } from "../growth.ts";
import { flagEntry } from "../layers/entries.ts";
import { healthDocument, hourMs } from "../telemetry/fixture.ts";
import { Root } from "./rollout-root.ts";

describe("a rollout at a node", () => {
  test("ramps by itself, also over a restart, and every decision can be taken again", () => {
    const root = new Root();
    valueOf(root.start());
    expect(root.basisPoints).toBe(3000);
    root.live(5 * hourMs);
    expect(root.basisPoints).toBe(3000);
    root.node.restart();
    root.live(30 * hourMs);
    expect(root.rollout).toMatchObject({ state: "DONE", step: 2 });
    expect(root.basisPoints).toBe(10_000);
    const words = root.decisions.map(({ decision }) => decision);
    expect(words.filter((word) => word !== "WAIT")).toEqual(["PROMOTE", "PROMOTE", "DONE"]);
    expect(root.decisions.filter((one) => !isReplayed(one))).toEqual([]);
  });

  test("waits as long as nobody reports, and writes that down once", () => {
    const root = new Root();
    valueOf(root.start());
    for (let hour = 0; hour < 200; hour++) root.node.wait(hourMs);
    expect(root.basisPoints).toBe(3000);
    expect(root.rollout).toMatchObject({ state: "RUNNING", reason: "0 of 1 sites have reported" });
    expect(root.decisions).toHaveLength(2);
  });

  test("halts when it is bad, and kills when it is to; then it can be tried again", () => {
    const root = new Root();
    valueOf(root.start({ killOnBad: true }));
    root.live(3 * hourMs, { failing: true });
    expect(root.rollout).toMatchObject({ state: "HALTED", reason: "the flag is bad" });
    expect(root.basisPoints).toBe(0);
    expect(root.decisions.filter((one) => !isReplayed(one))).toEqual([]);
    expect(refusalOf(root.change("RESUME"))).toBe("conflict: flag: it is killed");
    expect(refusalOf(root.start())).toBe("conflict: flag: wide is killed");
    valueOf(root.node.setFlag("wide", 200));
    valueOf(root.start());
    root.live(40 * hourMs);
    expect(root.rollout.state).toBe("DONE");
  });

  test("that is to halt only leaves the flag where it is, to whoever takes over", () => {
    const root = new Root();
    valueOf(root.start());
    root.live(3 * hourMs, { failing: true });
    expect(root.rollout.state).toBe("HALTED");
    expect(root.basisPoints).toBe(3000);
    expect(root.node.setFlag("wide", 0).ok).toBe(true);
  });

  test("stays while it is paused, begins the step anew, and ends when it is aborted", () => {
    const root = new Root();
    valueOf(root.start());
    root.live(5 * hourMs);
    valueOf(root.change("PAUSE"));
    root.live(50 * hourMs);
    expect(root.basisPoints).toBe(3000);
    expect(refusalOf(root.change("PAUSE"))).toBe("conflict: action: the rollout is paused");
    expect(root.change("PAUSE")).toMatchObject({
      refusal: { hint: expect.stringContaining("headwater rollout resume horizon/wide") },
    });
    valueOf(root.change("RESUME"));
    root.live(5 * hourMs);
    expect(root.basisPoints).toBe(3000);
    root.live(2 * hourMs);
    expect(root.basisPoints).toBe(6000);
    valueOf(root.change("ABORT"));
    root.node.restart();
    root.live(50 * hourMs);
    expect(root.rollout.state).toBe("ABORTED");
    expect(root.basisPoints).toBe(6000);
    expect(refusalOf(root.change("RESUME"))).toBe("conflict: action: the rollout is aborted");
    expect(root.change("RESUME")).toMatchObject({
      refusal: { hint: expect.stringContaining("headwater rollout start horizon/wide") },
    });
  });

  test("owns the percentage, not the kill and not the note", () => {
    const root = new Root();
    valueOf(root.start());
    const owned = "conflict: entries: a rollout owns the percentage of wide";
    expect(refusalOf(root.node.setFlag("wide", 3001))).toBe(owned);
    expect(refusalOf(root.node.commit({ "flag/wide": undefined }))).toBe(owned);
    expect(refusalOf(root.start())).toBe("conflict: flag: a rollout of wide is running already");
    const same = { basisPoints: 3000, note: "said" };
    expect(root.node.commit(flagEntry("wide", same)).ok).toBe(true);
    const kill = { ...same, kill: { versions: "*" } };
    expect(root.node.commit(flagEntry("wide", kill)).ok).toBe(true);
    root.node.wait(1000);
    expect(root.rollout).toMatchObject({ state: "HALTED", reason: "somebody has killed the flag" });
  });

  test("is not begun and does not go on while nothing can be written", () => {
    const root = new Root();
    root.node.disk = "full";
    expect(refusalOf(root.start())).toMatch(/^unavailable/);
    expect(root.node.node.reads.rollouts("horizon")).toEqual([]);
    root.node.disk = "good";
    valueOf(root.start());
    root.live(5.5 * hourMs);
    root.node.disk = "full";
    root.live(3 * hourMs);
    expect(root.basisPoints).toBe(3000);
    root.node.disk = "good";
    root.live(hourMs);
    expect(root.basisPoints).toBe(6000);
    expect(root.rollout.step).toBe(1);
  });

  test.each([
    [{ steps: [50] }, "invalid: plan.steps[0].basis_points: 0.5 % is no step up from 1 %"],
    [{ steps: [] }, "invalid: plan.steps: from 1 to 20 of them"],
  ])("with %j is refused", (plan, problem) => {
    expect(refusalOf(new Root().start(plan))).toBe(problem);
  });

  test("of many flags takes no longer than of one to look what the fleet says", () => {
    const times = growth({ few: 100, many: 3_000 }, (count) => {
      const root = new Root();
      const flags = Array.from({ length: count }, (_, n) => `flag-${n}`);
      valueOf(root.node.commit(Object.assign({}, ...flags.map((one) => flagEntry(one)))));
      for (const flag of flags.slice(0, 100)) valueOf(root.start({ flag }));
      root.node.wait(10_000);
      return () => root.node.wait(1_000);
    });
    expect(times).toBeLessThan(20);
  }, 60_000);

  test("of many flags looks no oftener than of one at what children have said", () => {
    const stored = storedChildren(20);
    const looksOf = (count: number): readonly number[] => {
      const root = new Root();
      for (const one of stored) root.node.stored.set(`${one.bucket} ${one.key}`, one);
      root.node.restart();
      const flags = Array.from({ length: count }, (_, n) => `flag-${n}`);
      valueOf(root.node.commit(Object.assign({}, ...flags.map((one) => flagEntry(one)))));
      for (const flag of flags) valueOf(root.start({ flag }));
      root.node.wait(10_000);
      const looks = [
        vi.spyOn(Received.prototype, "of"),
        vi.spyOn(Fleet.prototype, "health", "get"),
      ];
      root.node.wait(1_000);
      const counts = looks.map(({ mock }) => mock.calls.length);
      for (const look of looks) look.mockRestore();
      return counts;
    };
    const looks = looksOf(1);
    expect(looks[0]).toBeGreaterThan(0);
    expect(looks[1]).toBe(1);
    expect(looksOf(50)).toEqual(looks);
  });
});

/** What as many children have said of their health. */
function storedChildren(count: number): StoredRecord[] {
  return Array.from({ length: count }, (_, n) => {
    const child = `child-${(n * 7919) % count}`;
    const document = healthDocument({});
    const received = create(ReceivedDocumentSchema, { child, atMs: BigInt(epochMs), document });
    const value = toBinary(ReceivedDocumentSchema, received);
    return { bucket: "received", key: `horizon HEALTH ${child}`, value };
  });
}
