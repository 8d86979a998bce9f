import { create } from "@bufbuild/protobuf";
import { beforeEach, expect, test } from "vitest";
import { type SiteConsent, SiteConsentSchema } from "../../gen/headwater/v1/fanout_pb.ts";
import { minuteMs } from "../../relay/cadence.ts";
import { Consents } from "../../relay/telemetry/consents.ts";
import type { DisclosureLevel } from "../../relay/telemetry/disclosure/level.ts";
import { epochMs } from "../relay/authority.ts";
import { initProject, joinNodes, valueOf } from "./mesh.ts";
import { World } from "./world.ts";

let world: World;

/** A site of two nodes that have both joined the root. */
beforeEach(() => {
  world = new World(3);
  world.add("root", { site: "upstream" });
  initProject(world, "root", "horizon");
  for (const name of ["one", "two"]) {
    world.add(name, { site: "plant", disclosure: "ROUNDED" });
    joinNodes(world, "root", name);
    world.tell(name, { kind: "fanout-changed", connected: true, problem: "" });
  }
  world.run(30_000);
});

function disclose(at: string, level: DisclosureLevel): void {
  valueOf(
    world.ask(at, (call) => ({ kind: "set-disclosure", call, level, upstream: "" })) as never,
  );
}

const levelAt = (name: string): unknown =>
  world.get(name).node.reads.status(world.now).disclosures[0]?.level;

test("what an operator discloses is said at one node, and counts for all of the site", () => {
  expect([levelAt("one"), levelAt("two")]).toEqual(["ROUNDED", "ROUNDED"]);
  disclose("one", "OFF");
  world.run(1_000);
  expect([levelAt("one"), levelAt("two")]).toEqual(["OFF", "OFF"]);
  world.crash("two");
  world.restart("two");
  expect(levelAt("two")).toBe("OFF");
});

test("a node that was away hears of it once it is back; the last word counts", () => {
  disclose("one", "EXACT");
  world.run(1_000);
  world.crash("two");
  world.run(minuteMs);
  disclose("one", "OFF");
  world.restart("two");
  world.run(minuteMs);
  expect([levelAt("one"), levelAt("two")]).toEqual(["OFF", "OFF"]);
  disclose("two", "ROUNDED");
  world.run(minuteMs);
  expect([levelAt("one"), levelAt("two")]).toEqual(["ROUNDED", "ROUNDED"]);
});

const saying = (of: Partial<SiteConsent>): SiteConsent =>
  create(SiteConsentSchema, {
    upstream: "root",
    level: "OFF",
    sinceMs: BigInt(epochMs),
    saidMs: BigInt(epochMs),
    ...of,
  });

test.for<[string, Partial<SiteConsent>]>([
  ["of a level that nobody knows", { level: "EVERYTHING" }],
  ["from the future", { level: "EXACT", saidMs: BigInt(epochMs + 60 * minuteMs) }],
  ["about nobody", { upstream: "" }],
  ["about a name without end", { upstream: "x".repeat(1_000) }],
])("a word %s changes nothing", ([, of]) => {
  expect(new Consents("OFF", new Map()).heard([saying(of)], epochMs)).toEqual([]);
});

test("words about upstreams that are not there are bounded", () => {
  const many = Array.from({ length: 1_000 }, (_, n) => saying({ upstream: `u${n}` }));
  expect(new Consents("OFF", new Map()).heard(many, epochMs).length).toBeLessThan(50);
});
