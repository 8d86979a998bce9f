import { create, fromBinary } from "@bufbuild/protobuf";
import { beforeEach, describe, expect, test } from "vitest";
import { ReportRequestSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { SentDocumentSchema } from "../../gen/headwater/v1/fleet_pb.ts";
import { type Trial, TrialSchema } from "../../gen/headwater/v1/store_pb.ts";
import { minuteMs } from "../../relay/cadence.ts";
import { initProject, joinNodes, publishReleases } from "./mesh.ts";
import { World } from "./world.ts";

const project = "horizon";
const windows = { windowMs: 2 * minuteMs, healthWindowMs: minuteMs };
const nodes = ["one", "two", "three"] as const;

let world: World;
/** What parents answered to documents, by who sent them. */
let answers: { node: string; outcome: string }[];

/** A root, and a site of three nodes of which two have joined it. */
beforeEach(() => {
  world = new World(5);
  world.add("root", { site: "upstream", ...windows });
  initProject(world, "root", project);
  publishReleases(world, "root", project, ["1.0"]);
  for (const name of nodes) {
    world.add(name, { site: "plant", disclosure: "EXACT", ...windows });
    if (name !== "three") joinNodes(world, "root", name);
    world.tell(name, { kind: "fanout-changed", connected: true, problem: "" });
  }
  answers = [];
  world.observer = {
    logged: ({ name }, event, message) => {
      const outcome = message.split(": ").at(-1) ?? "";
      if (event === "document-sent") answers.push({ node: name, outcome });
    },
  };
  world.run(30_000);
});

const logOf = (name: string): string[] =>
  world
    .get(name)
    .store.list({ bucket: "sent", prefix: "", limit: 1_000 })
    .map((bytes) => fromBinary(SentDocumentSchema, bytes))
    .map(({ outcome, document }) => `${document?.kind} ${document?.window} ${outcome}`)
    .sort();

const windowsCount = (name: string): number =>
  new Set(logOf(name).map((line) => line.replace(/ \w+$/, ""))).size;

describe("documents of a site", () => {
  test("are sent once for each window, by whoever's turn it is, and stand in the log of all", () => {
    world.run(12 * minuteMs);
    expect(answers.length).toBeGreaterThanOrEqual(15);
    expect(new Set(answers.map(({ node, outcome }) => `${node} ${outcome}`))).toEqual(
      new Set(["one ACCEPTED"]),
    );
    expect(windowsCount("one")).toBe(answers.length);
    for (const name of nodes) expect(logOf(name)).toEqual(logOf("one"));
  });

  test("are sent by the next one when the first is gone, without a window left out", () => {
    world.run(5 * minuteMs);
    world.crash("one");
    world.run(5 * minuteMs);
    expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(["ACCEPTED"]));
    expect(new Set(answers.map(({ node }) => node))).toEqual(new Set(["one", "two"]));
    const health = logOf("two").filter((line) => line.startsWith("HEALTH"));
    expect(health.length).toBeGreaterThanOrEqual(8);
    expect(logOf("three")).toEqual(logOf("two"));
    world.restart("one");
    world.run(minuteMs);
    expect(logOf("one")).toEqual(logOf("two"));
  });

  test("are in the log of a node that was away, and of the others when it is lost", () => {
    world.run(3 * minuteMs);
    world.crash("three");
    world.run(5 * minuteMs);
    world.restart("three");
    world.run(minuteMs);
    expect(logOf("three")).toEqual(logOf("one"));
    for (const name of ["one", "two"]) world.crash(name);
    expect(windowsCount("three")).toBeGreaterThanOrEqual(9);
  });

  test("are sent twice where nodes do not hear each other, and the second is ignored", () => {
    world.fanout.setDown("plant", true);
    world.run(3 * minuteMs);
    const outcomes = answers.map(({ outcome }) => outcome);
    expect(new Set(outcomes)).toEqual(new Set(["ACCEPTED", "REPEATED"]));
    world.fanout.setDown("plant", false);
    answers = [];
    world.run(3 * minuteMs);
    expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(["ACCEPTED"]));
  });
});

describe("what a site has received from below", () => {
  test("is held by all its nodes, also by one that was away", () => {
    for (const name of ["root-2", "root-3"]) world.add(name, { site: "upstream", ...windows });
    for (const name of ["root", "root-2", "root-3"])
      world.tell(name, { kind: "fanout-changed", connected: true, problem: "" });
    world.run(minuteMs);
    world.crash("root-3");
    world.run(3 * minuteMs);
    const reporters = (name: string): unknown => {
      const fleet = world.get(name).node.reads.fleet(project, world.now.wallMs);
      return fleet.ok && fleet.value.reportersCount;
    };
    expect([reporters("root"), reporters("root-2")]).toEqual([1, 1]);
    world.restart("root-3");
    world.run(minuteMs);
    expect(reporters("root-3")).toBe(1);
    world.crash("root");
    world.crash("root-2");
    world.restart("root-2");
    expect(reporters("root-2")).toBe(1);
  });
});

describe("what trials have counted", () => {
  const report = (name: string, instance: string, health: string): void => {
    const said = { project, version: "1.0", instance, health };
    const of = create(ReportRequestSchema, said);
    world.ask(name, (call) => ({ kind: "report", call, report: of }));
  };
  const trialOf = (name: string): Trial => {
    const bytes = world.get(name).store.get("trial", `${project} RELEASE 1.0`);
    return fromBinary(TrialSchema, bytes!);
  };

  test("while a node was away reaches it, and outlives the nodes that have counted", () => {
    report("one", "i-1", "OK");
    world.crash("three");
    for (let n = 0; n < 30; n++) report("two", `i-${n}`, n < 3 ? "FAILED" : "OK");
    world.run(3 * minuteMs);
    for (const name of ["one", "two"]) expect(trialOf(name).subject?.failed).toBe(3);
    world.restart("three");
    world.run(2 * minuteMs);
    expect(trialOf("three").subject).toMatchObject({ instances: 30, unwell: 3, failed: 3 });
    expect(trialOf("three").startedMs).toBe(trialOf("one").startedMs);
  });
});
