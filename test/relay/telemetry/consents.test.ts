import { describe, expect, test } from "vitest";
import { dayMs } from "../../../relay/cadence.ts";
import { Consents } from "../../../relay/telemetry/consents.ts";
import type { DisclosureLevel } from "../../../relay/telemetry/disclosure/level.ts";
import { epochMs } from "../authority.ts";
import { sharesOf, weightsDocument } from "./fixture.ts";
import { Site, upstream } from "./site.ts";

describe("nothing leaves before the operator says so", () => {
  test("not by default, not at level OFF, not of a project without data", () => {
    const site = new Site();
    site.report({ instance: "a" });
    expect(site.due(epochMs + 100 * dayMs)).toEqual([]);
    site.choose("OFF");
    expect(site.due(epochMs + 100 * dayMs)).toEqual([]);
    expect(site.telemetry.consents.of(upstream)).toMatchObject({ level: "OFF", source: "command" });
  });

  test("and then for that upstream only: consent is never inherited", () => {
    const site = new Site();
    site.choose("ROUNDED");
    expect(site.due(epochMs + 3 * dayMs)).toHaveLength(2);
    expect(site.telemetry.outbox.due("another", site.project, epochMs + 3 * dayMs)).toEqual([]);
  });

  test("and then nothing from before that moment: neither reports nor children's documents", () => {
    const site = new Site();
    const consentMs = site.windows("WEIGHTS").startMs(site.windows("WEIGHTS").at(epochMs) + 1);
    site.report({ instance: "before", version: "1.0" }, consentMs - 1);
    site.receive("before", weightsDocument({ "1.0": 10_000 }), consentMs - 1);
    site.choose("EXACT", consentMs);
    site.report({ instance: "after", version: "2.0" }, consentMs + dayMs - 1);
    const [document] = site.dueOf("WEIGHTS", consentMs + dayMs);
    expect(sharesOf(document?.weights, "releases")).toEqual({ "2.0": 10_000 });
  });

  test("a choice that is not durable yet is none", () => {
    const site = new Site();
    site.telemetry.consents.choose({ upstream, level: "EXACT", byCommand: true, wallMs: epochMs });
    expect(site.telemetry.consents.of(upstream).level).toBe("OFF");
  });

  test("what the environment says counts from when it is first seen, and yields to a command", () => {
    const site = new Site({ disclosure: "ROUNDED" });
    expect(site.telemetry.consents.of(upstream).level).toBe("OFF");
    site.adopt(epochMs + 5);
    expect(site.telemetry.consents.of(upstream)).toEqual({
      level: "ROUNDED",
      sinceMs: epochMs + 5,
      source: "environment",
    });
    expect(site.telemetry.consents.adoptEnvironment(upstream, epochMs + 9)).toBeUndefined();
    site.choose("OFF", epochMs + 20);
    expect(site.telemetry.consents.adoptEnvironment(upstream, epochMs + 30)).toBeUndefined();
    expect(site.telemetry.consents.of(upstream).level).toBe("OFF");
    const withoutIt = new Site();
    expect(withoutIt.telemetry.consents.adoptEnvironment(upstream, epochMs)).toBeUndefined();
  });

  test("saying the same again starts no new window, saying something else does", () => {
    const site = new Site();
    site.choose("ROUNDED", epochMs);
    site.choose("ROUNDED", epochMs + dayMs);
    expect(site.telemetry.consents.of(upstream).sinceMs).toBe(epochMs);
    site.choose("EXACT", epochMs + dayMs);
    expect(site.telemetry.consents.of(upstream).sinceMs).toBe(epochMs + dayMs);
  });
});

describe("what was said while a clock was ahead", () => {
  const yearMs = 365 * dayMs;

  function said(consents: Consents, level: DisclosureLevel, wallMs: number): void {
    consents.choose({ upstream, level, byCommand: true, wallMs })?.accept();
  }

  function hear(consents: Consents, of: Consents): void {
    for (const choice of consents.heard(of.shared, epochMs)) choice.accept();
  }

  test("can be taken back later at all nodes of the site, whichever has heard of it", () => {
    const [one, two, three] = [0, 1, 2].map(() => new Consents("ROUNDED", new Map()));
    if (one === undefined || two === undefined || three === undefined) throw new Error("none");
    for (const consents of [one, two, three])
      consents.adoptEnvironment(upstream, epochMs - dayMs)?.accept();
    said(one, "EXACT", epochMs + yearMs);
    for (const choice of two.heard(one.shared, epochMs + yearMs)) choice.accept();
    said(one, "OFF", epochMs);
    hear(two, one);
    hear(three, one);
    expect([two, three].map((consents) => consents.of(upstream).level)).toEqual(["OFF", "OFF"]);
    said(three, "ROUNDED", epochMs + 1);
    hear(one, three);
    hear(two, three);
    const words = [one, two, three].map((consents) => consents.of(upstream));
    expect(words.map(({ level, sinceMs }) => [level, sinceMs])).toEqual(
      words.map(() => ["ROUNDED", epochMs + 1]),
    );
  });

  test("counts from now on when it is said again", () => {
    const consents = new Consents("OFF", new Map());
    said(consents, "ROUNDED", epochMs + yearMs);
    said(consents, "ROUNDED", epochMs);
    expect(consents.of(upstream).sinceMs).toBe(epochMs);
  });

  test("counts from now on where the environment says it, without a word of anybody", () => {
    const site = new Site({ disclosure: "ROUNDED" });
    site.adopt(epochMs + yearMs);
    site.telemetry.consents.adoptEnvironment(upstream, epochMs)?.accept();
    expect(site.telemetry.consents.of(upstream).sinceMs).toBe(epochMs);
  });

  test("is not taken of a node whose clock is ahead alone, but where it takes back", () => {
    const [ahead, right] = [new Consents("OFF", new Map()), new Consents("OFF", new Map())];
    said(ahead, "EXACT", epochMs + yearMs);
    hear(right, ahead);
    expect(right.of(upstream).level).toBe("OFF");
  });
});
