import { describe, expect, test } from "vitest";
import { type Document } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs } from "../../../relay/cadence.ts";
import { epochMs } from "../authority.ts";
import { sharesOf, weightsDocument } from "./fixture.ts";
import { Site } from "./site.ts";

describe("what a node knows of its fleet", () => {
  test("is the mean of its children and of its own apps, which are one", () => {
    const site = new Site();
    for (let n = 0; n < 50; n++) site.report({ instance: `${n}`, version: "2.0" });
    site.receive("a", weightsDocument({ "1.0": 10_000 }));
    site.receive("b", weightsDocument({ "1.0": 5000 }));
    const fleet = site.telemetry.fleet(site.project, epochMs);
    expect(sharesOf(fleet.weights, "releases")).toEqual({ "1.0": 5000, "2.0": 3333 });
    expect(fleet).toMatchObject({ reportersCount: 3, own: true, instancesCount: 50 });
  });

  test("has counts only when every child has sent them", () => {
    const countOf = (...documents: Document[]) => {
      const site = new Site();
      site.report({ instance: "own", version: "1.0" });
      for (const [n, document] of documents.entries()) site.receive(`child-${n}`, document);
      return site.telemetry.fleet(site.project, epochMs).weights.releases[0]?.count;
    };
    const exact = (counts?: Record<string, number>) =>
      weightsDocument({ "1.0": 10_000 }, { disclosure: "EXACT", ...(counts && { counts }) });
    expect(countOf(exact({ "1.0": 7 }))).toBe(8);
    expect(countOf(exact({ "1.0": 7 }), weightsDocument({ "1.0": 500 }))).toBe(0);
    // A child whose own children are not all exact.
    expect(countOf(exact({ "1.0": 0 }))).toBe(0);
    expect(countOf(exact())).toBe(0);
  });

  test.each(["EXACT", "ROUNDED", "PANEL", "MODAL"] as const)(
    "says at %s, to the parent's parent too, that of flags nothing is known",
    (level) => {
      const wallMs = epochMs + 3 * dayMs;
      const window = Math.floor(wallMs / dayMs);
      const small = weightsDocument({ "1.0": 10_000 }, { disclosure: "MODAL", window });
      const hop = new Site();
      hop.choose(level);
      for (let n = 0; n < 5; n++) hop.receive(`small-${n}`, small, wallMs);
      const known = hop.telemetry.fleet(hop.project, wallMs);
      expect(known).toMatchObject({ releasesOnlyCount: 5, reportersCount: 5 });
      expect(known.weights.releasesOnly).toBe(1);
      const [document] = hop.dueOf("WEIGHTS", wallMs);
      expect(document?.weights?.releasesOnly).toBe(1);
      const root = new Site();
      root.receive("hop", document!, wallMs);
      root.receive("idle", weightsDocument({}, { window }), wallMs);
      const fleet = root.telemetry.fleet(root.project, wallMs);
      expect(fleet).toMatchObject({ releasesOnlyCount: 1, reportersCount: 2 });
      expect(fleet.weights.releasesOnly).toBe(1);
    },
  );

  test("says of how many sites only the most common release is known", () => {
    const site = new Site();
    site.report({ instance: "own", version: "1.0", on: ["alpha"] });
    site.receive("small", weightsDocument({ "1.0": 10_000 }, { disclosure: "MODAL" }));
    const fleet = site.telemetry.fleet(site.project, epochMs);
    expect(fleet).toMatchObject({ releasesOnlyCount: 1, reportersCount: 2 });
    expect(fleet.weights.releasesOnly).toBe(0);
    expect(sharesOf(fleet.weights, "flags")).toEqual({ alpha: 10_000 });
  });

  test("can be sent on, whatever a child has counted", () => {
    const site = new Site();
    site.choose("EXACT");
    const wallMs = epochMs + 3 * dayMs;
    site.report({ instance: "own", version: "1.0" }, wallMs);
    const counts = { "1.0": 0xffff_ffff };
    const window = Math.floor(wallMs / dayMs);
    site.receive(
      "liar",
      weightsDocument({ "1.0": 1 }, { disclosure: "EXACT", counts, window }),
      wallMs,
    );
    expect(site.due(wallMs)).toHaveLength(2);
  });

  test("forgets instances that are silent, also when nobody asks", () => {
    const site = new Site();
    site.report({ instance: "a" });
    const { reportEveryMs } = site.telemetry;
    site.telemetry.expire(epochMs + 2 * reportEveryMs);
    expect(site.telemetry.intake("horizon").instancesCount).toBe(1);
    site.telemetry.expire(epochMs + 2 * reportEveryMs + 1);
    expect(site.telemetry.intake("horizon").instancesCount).toBe(0);
  });
});
