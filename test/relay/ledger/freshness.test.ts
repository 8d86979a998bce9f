import { describe, expect, test } from "vitest";
import { beatExpiryMs, staleAfterMs } from "../../../relay/cadence.ts";
import { freshnessOf, worstFreshness } from "../../../relay/ledger/freshness.ts";
import { signBeat } from "../../../relay/ledger/head.ts";
import { Authority, epochMs } from "../authority.ts";

const authority = new Authority();

describe("age counts from what the writer has said, end to end (I11)", () => {
  const ledger = authority.ledger();
  const { head } = ledger;
  const beatAt = (wallMs: number) =>
    signBeat({ head: head!, wallMs, key: authority.writer.beatKey });
  const day = 24 * 3_600_000;

  test("without a head there is nothing: EMPTY, whatever beats say", () => {
    expect(freshnessOf({ head: undefined, beat: beatAt(epochMs) }, epochMs)).toBe("EMPTY");
  });

  test.each([
    [0, "FRESH"],
    [staleAfterMs, "FRESH"],
    [staleAfterMs + 1, "STALE"],
    [beatExpiryMs - 1, "STALE"],
    [beatExpiryMs, "EXPIRED"],
  ])("%i ms after a head without a beat it is %s", (age, label) => {
    expect(freshnessOf({ head, beat: undefined }, epochMs + age)).toBe(label);
  });

  test.each([
    [day, "FRESH"],
    [day + staleAfterMs, "FRESH"],
    [day + staleAfterMs + 1, "STALE"],
    [day + beatExpiryMs - 1, "STALE"],
    [day + beatExpiryMs, "EXPIRED"],
  ])("%i ms after a head, with a beat from a day after it, it is %s", (age, label) => {
    expect(freshnessOf({ head, beat: beatAt(epochMs + day) }, epochMs + age)).toBe(label);
  });

  test("a beat from before the head takes nothing from it", () => {
    expect(freshnessOf({ head, beat: beatAt(epochMs - day) }, epochMs + 1)).toBe("FRESH");
  });

  test("a beat that came while this node's clock was ahead says nothing once it is right", () => {
    const beat = beatAt(epochMs + day);
    expect(freshnessOf({ head, beat }, epochMs + staleAfterMs + 1)).toBe("STALE");
    expect(freshnessOf({ head, beat }, epochMs + day)).toBe("FRESH");
  });

  test("so does a head, which then is as old as its beats", () => {
    const ahead = authority.ledger();
    authority.commit(ahead, { "flag/a": Buffer.from("1") }, epochMs + day);
    const beat = (wallMs: number) =>
      signBeat({ head: ahead.head!, wallMs, key: authority.writer.beatKey });
    const at = (wallMs: number, beatMs?: number) =>
      freshnessOf(
        { head: ahead.head, beat: beatMs === undefined ? undefined : beat(beatMs) },
        wallMs,
      );
    expect(at(epochMs)).toBe("STALE");
    expect(at(epochMs + staleAfterMs + 1, epochMs)).toBe("STALE");
    expect(at(epochMs + staleAfterMs, epochMs)).toBe("FRESH");
    expect(at(epochMs + day)).toBe("FRESH");
  });
});

test("a set of layers is as old as its oldest", () => {
  expect(worstFreshness(["FRESH", "STALE", "FRESH"])).toBe("STALE");
  expect(worstFreshness(["EXPIRED", "STALE"])).toBe("EXPIRED");
  expect(worstFreshness(["EXPIRED", "EMPTY", "FRESH"])).toBe("EMPTY");
});
