import { describe, expect, test } from "vitest";
import { dayMs } from "../../../relay/cadence.ts";
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
