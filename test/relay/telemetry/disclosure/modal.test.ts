import { describe, expect, test } from "vitest";
import type { Document } from "../../../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs } from "../../../../relay/cadence.ts";
import { modal } from "../../../../relay/telemetry/disclosure/modal.ts";
import { epochMs } from "../../authority.ts";
import { sharesOf, weightsDocument } from "../fixture.ts";
import { Site } from "../site.ts";

describe("the smaller tier", () => {
  test("says the most common release, as if everybody were on it, and nothing else", () => {
    const site = new Site();
    site.choose("MODAL");
    const wallMs = epochMs + 3 * dayMs;
    for (let n = 0; n < 7; n++)
      site.report(
        { instance: `${n}`, version: n < 3 ? "1.0" : "2.0", health: "FAILED", on: ["alpha"] },
        wallMs - 1,
      );
    const [document] = site.dueOf("WEIGHTS", wallMs);
    expect(sharesOf(document?.weights, "releases")).toEqual({ "2.0": 10_000 });
    for (const list of ["degraded", "failed", "flags"] as const)
      expect(sharesOf(document?.weights, list)).toEqual({});
  });

  test("says something else once in seven windows at most, on one day of the week", () => {
    const site = new Site();
    site.choose("MODAL");
    const said: string[] = [];
    for (let day = 2; day < 60; day++) {
      const wallMs = epochMs + day * dayMs;
      site.report({ instance: "a", version: day % 2 === 0 ? "1.0" : "2.0" }, wallMs - 1);
      const all = site.due(wallMs);
      const weights = all.find(({ document }) => document.kind === "WEIGHTS");
      site.accept(all);
      said.push(Object.keys(sharesOf(weights?.document.weights, "releases")).join());
    }
    const changes = said.flatMap((one, at) => (at > 0 && one !== said[at - 1] ? at : []));
    expect(changes.length).toBeGreaterThan(2);
    expect(new Set(changes.map((at) => at % 7)).size).toBe(1);
  });

  test("begins anew with a new consent: nothing from before it is repeated", () => {
    const site = new Site();
    site.choose("MODAL");
    site.report({ instance: "a", version: "1.0" }, epochMs + 3 * dayMs - 1);
    site.accept(site.due(epochMs + 3 * dayMs));
    site.choose("OFF", epochMs + 3 * dayMs);
    site.choose("MODAL", epochMs + 3 * dayMs + 1);
    site.report({ instance: "a", version: "2.0" }, epochMs + 5 * dayMs + 2);
    const [document] = site.dueOf("WEIGHTS", epochMs + 5 * dayMs + 3);
    expect(sharesOf(document?.weights, "releases")).toEqual({ "2.0": 10_000 });
  });

  test("of a release that is not published any more says nothing until the week is over", () => {
    const weights = weightsDocument({ "2.0": 10_000 }).weights!;
    const shown = weightsDocument({ "1.0": 10_000 }).weights;
    expect(sharesOf(modal(weights, shown, true), "releases")).toEqual({});
    expect(sharesOf(modal(weights, shown, false), "releases")).toEqual({ "2.0": 10_000 });
  });

  test("stays with what it said where two are as common", () => {
    const even = weightsDocument({ "1.0": 5000, "2.0": 5000 }).weights!;
    const said = (shown: Document["weights"]) => sharesOf(modal(even, shown, false), "releases");
    expect(said(undefined)).toEqual({ "1.0": 10_000 });
    expect(said(weightsDocument({ "2.0": 10_000 }).weights)).toEqual({ "2.0": 10_000 });
  });
});
