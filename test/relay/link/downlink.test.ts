import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { heartbeatIntervalMs, stalledAfterMs } from "../../../relay/cadence.ts";
import type { Effect } from "../../../relay/effect.ts";
import { isAbout } from "../../../relay/ledger/head.ts";
import type { Ledger } from "../../../relay/ledger/ledger.ts";
import {
  entryBytesMax,
  historyLengthMax,
  linkBytesInFlightMax,
  linkFramesInFlightMax,
} from "../../../relay/limits.ts";
import { Authority, contentOf, epochMs } from "../authority.ts";
import { frameOf, kindsOf, Mirror } from "./mirror.ts";
import { Parent, sendsOf } from "./parent.ts";

const authority = new Authority();

describe("a slow child", () => {
  test("never has more in flight than its window holds (I9)", () => {
    const parent = new Parent(authority.ledger());
    const child = new Mirror(authority);
    let frames = parent.open(1, child).length;
    for (let n = 0; n < 100; n++) {
      parent.change();
      frames += parent.pump().get(1)?.length ?? 0;
    }
    expect(frames).toBe(linkFramesInFlightMax);
  });

  test("is brought forward in one step, however much has happened (I9)", () => {
    const parent = new Parent(authority.ledger());
    const child = new Mirror(authority);
    const frames = parent.open(1, child);
    while (frames.length < linkFramesInFlightMax) {
      parent.change();
      frames.push(...parent.pump().get(1)!);
    }
    for (let n = 0; n < 200; n++) parent.change();
    expect(parent.pump().get(1)).toBeUndefined();
    const rest = parent.flush(1, frames);
    expect(kindsOf(rest)).toEqual(["delta"]);
    expect(child.hearAll([...frames, ...rest])).not.toContain("resync");
    expect(contentOf(child.ledger)).toEqual(contentOf(parent.ledger));
  });

  test("past the history that is kept gets a snapshot", () => {
    const parent = new Parent(authority.ledger());
    const child = new Mirror(authority);
    child.hearAll(parent.open(1, child));
    for (let n = 0; n <= historyLengthMax; n++) parent.change();
    const frames = parent.open(2, child);
    expect(kindsOf(frames)).toContain("SNAPSHOT");
    expect(kindsOf(frames)).not.toContain("delta");
    child.hearAll(frames);
    expect(contentOf(child.ledger)).toEqual(contentOf(parent.ledger));
  });

  test("has a window of bytes, too", () => {
    const parent = new Parent(largeLedger());
    const frames = parent.open(1, new Mirror(authority));
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    expect(frames.length).toBeLessThan(linkFramesInFlightMax + 1);
    expect(bytes).toBeLessThan(linkBytesInFlightMax + frames.at(-1)!.length);
  });

  test("does not delay others, nor keep the node awake (I10)", () => {
    const parent = new Parent(authority.ledger());
    const [slow, quick] = [new Mirror(authority), new Mirror(authority)];
    parent.open(1, slow, "slow");
    quick.hearAll(parent.flushAll(2, parent.open(2, quick, "quick")));
    for (let n = 0; n < 50; n++) {
      parent.change();
      quick.hearAll(parent.flushAll(2, parent.pump().get(2)!));
      expect(quick.ledger.position).toEqual(parent.ledger.position);
    }
    const late = stalledAfterMs - 1;
    expect(sendsOf(parent.links.tick(late)).has(1)).toBe(false);
    expect(parent.links.dueAtMonoMs).toBe(stalledAfterMs);
  });

  test("that takes nothing at all for two minutes is let go, with a word on when to come again", () => {
    const parent = new Parent(authority.ledger());
    parent.open(1, new Mirror(authority));
    expect(parent.links.links[0]!.stuckSinceMonoMs).toBe(0);
    expect(parent.links.dueAtMonoMs).toBe(heartbeatIntervalMs);
    for (let n = 0; n < 20; n++) {
      parent.change();
      parent.pump();
    }
    expect(parent.links.dueAtMonoMs).toBe(stalledAfterMs);
    expect(parent.links.tick(stalledAfterMs - 1)).toEqual([]);
    const effects = parent.links.tick(stalledAfterMs);
    expect(goodbyesOf(effects)).toEqual(["1 OVERLOAD"]);
    expect(effects).toContainEqual(
      expect.objectContaining({ entry: expect.objectContaining({ event: "child-stalled" }) }),
    );
    expect(parent.links.links).toEqual([]);
    expect(parent.links.dueAtMonoMs).toBeUndefined();
  });
});

test("a heartbeat comes only after every delta that it vouches for, whatever happens (I1, I12)", () => {
  const happening = fc.oneof(
    fc.record({ kind: fc.constant("commit"), n: fc.nat(200) }),
    fc.record({ kind: fc.constant("beat"), n: fc.nat(200) }),
    fc.record({ kind: fc.constant("flush"), n: fc.nat(20) }),
    fc.record({ kind: fc.constant("reconnect"), n: fc.nat(3) }),
    fc.record({ kind: fc.constant("clock"), n: fc.integer({ min: -60_000, max: 60_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
      const parent = new Parent(authority.ledger());
      const child = new Mirror(authority);
      let id = 1;
      let waiting = [...parent.open(id, child)];
      const hear = (bytes: Uint8Array): void => {
        const frame = frameOf(bytes);
        const outcome = child.hear(bytes, epochMs + 120_000);
        expect(outcome).toMatchObject({ ok: true });
        if (outcome.ok) expect(outcome.value.kind).not.toBe("resync");
        if (frame.case !== "heartbeat" || !outcome.ok || outcome.value.kind !== "beats") return;
        for (const { ledger, beat } of outcome.value.beats)
          expect(isAbout(beat, ledger.head!)).toBe(true);
      };
      const flush = (count: number): void => {
        const taken = waiting.splice(0, count);
        for (const bytes of taken) hear(bytes);
        waiting.push(...parent.flush(id, taken));
      };
      for (const { kind, n } of happenings) {
        if (kind === "commit") parent.commit(n);
        if (kind === "beat") parent.beat();
        if (kind === "clock") parent.wallMs = epochMs + n;
        if (kind === "flush") flush(n);
        if (kind === "reconnect") {
          for (const bytes of waiting.slice(0, n)) hear(bytes);
          parent.links.closed(id);
          waiting = [...parent.open(++id, child)];
        }
        waiting.push(...(parent.pump().get(id) ?? []));
      }
      while (waiting.length > 0) flush(waiting.length);
      expect(contentOf(child.ledger)).toEqual(contentOf(parent.ledger));
      expect(child.ledger.position).toEqual(parent.ledger.position);
    }),
    { numRuns: 200 },
  );
});

function largeLedger(): Ledger {
  const entries = Array.from({ length: 120 }, (_, n) => [
    `rule/cap/${n}`,
    Buffer.alloc(entryBytesMax, n),
  ]);
  return authority.ledger(Object.fromEntries(entries));
}

function goodbyesOf(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => {
    if (effect.kind !== "send") return [];
    const frame = frameOf(effect.frame);
    return frame.case === "goodbye" ? [`${effect.link} ${frame.value.reason}`] : [];
  });
}
