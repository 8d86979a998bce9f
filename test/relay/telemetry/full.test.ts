import { expect, test, vi } from "vitest";
import { Received } from "../../../relay/telemetry/received.ts";
import { epochMs } from "../authority.ts";
import { hourMs, projectOf, weightsDocument } from "./fixture.ts";
import { Site } from "./site.ts";

/** A million instances would say no more than a few. */
const small = vi.hoisted(() => ({
  instancesCountMax: 8,
  intakeVersionsMax: 2,
  trialMembersMax: 5,
  trialsCountMax: 3,
  crashSightingsMax: 4,
  receivedHeapBytesMax: 8_000,
}));
vi.mock("../../../relay/limits.ts", async (actual) => ({ ...(await actual<object>()), ...small }));

const releases = ["1.0", "2.0", "3.0", "4.0"];
const known = "00000000deadbeef";

test("past so many instances one more is not counted, those that are go on", () => {
  const site = new Site();
  const take = (n: number): boolean => site.report({ instance: `i-${n}` });
  for (let n = 0; n < small.instancesCountMax; n++) expect(take(n)).toBe(true);
  expect(take(small.instancesCountMax)).toBe(false);
  expect(take(0)).toBe(true);
  site.telemetry.intake("horizon").forget("i-0");
  expect(take(small.instancesCountMax)).toBe(true);
});

test("past so many versions one more is the release that it is", () => {
  const site = new Site({}, new Map(), projectOf({ releases }));
  for (const version of ["1.0", "2.0-a", "2.0-b"]) site.report({ instance: version, version });
  const { versions } = site.telemetry.intake("horizon").tally(0);
  expect([...versions.keys()]).toEqual(["1.0", "2.0-a", ""]);
});

test("past so many instances of all trials one more is not remembered, those that are go on", () => {
  const site = new Site({}, new Map(), projectOf({ releases }));
  const counts = (): number[] => site.trials.shared.map(({ trial }) => trial.membersCount);
  for (let n = 0; n < 4; n++) site.report({ instance: `old-${n}` });
  site.report({ instance: "new-0", version: "3.0" });
  // The older ones were there before, so that they are not the newer one's control.
  expect(counts()).toEqual([4, 1]);
  site.report({ instance: "new-1", version: "3.0" });
  expect(counts()).toEqual([4, 1]);
  site.report({ instance: "new-0", version: "3.0", health: "FAILED" });
  expect(site.trials.shared[1]?.trial.arm("subject")).toMatchObject({ instances: 1, failed: 1 });
  site.look(epochMs);
  const restarted = site.restarted();
  restarted.report({ instance: "new-1", version: "3.0" });
  expect(restarted.trials.shared.map(({ trial }) => trial.membersCount)).toEqual([4, 1]);
});

test("nor those that another node of the site has counted, until there is room again", () => {
  const site = new Site({}, new Map(), projectOf({ releases }));
  const other = new Site({}, new Map(), projectOf({ releases }));
  for (let n = 0; n < 4; n++) site.report({ instance: `i-${n}` });
  for (const instance of ["a", "b"]) other.report({ instance, version: "2.0" });
  const hear = (): number[] => {
    const records = other.trials.shared.map(({ trial }) => trial.toRecord());
    site.trials.heard(records, { isNamed: () => true, wallMs: epochMs });
    return site.trials.shared.map(({ trial }) => trial.membersCount);
  };
  expect(hear()).toEqual([4]);
  site.look(epochMs + 100 * hourMs);
  expect(hear()).toEqual([0, 2]);
});

test("past so many trials one more release is not judged", () => {
  const site = new Site({}, new Map(), projectOf({ releases }));
  for (const version of releases) site.report({ instance: "a", version });
  const names = site.trials.shared.map(({ trial }) => trial.name);
  expect(names).toEqual(releases.slice(0, small.trialsCountMax));
});

test("past so many sightings of crashes one more is passed over, and takes no other's place", () => {
  const site = new Site({}, new Map(), projectOf({ crashes: [known] }));
  const crash = (n: number, as: string): boolean =>
    site.report({ instance: `i-${n}`, crashes: [as] });
  for (let n = 0; n <= small.crashSightingsMax; n++) crash(n, known);
  crash(0, "00000000cafebabe");
  expect(site.telemetry.crashes.counts("horizon")).toEqual([
    { signature: known, instancesCount: small.crashSightingsMax },
  ]);
});

test("documents are kept up to so many bytes of memory", () => {
  const received = new Received(new Map());
  let count = 0;
  let refused = "";
  for (let n = 0; refused === ""; n++) {
    const document = { ...weightsDocument({ "1.0": 500 }), project: `p-${n}` };
    const outcome = received.prepare("child", document, epochMs);
    if (!outcome.ok) refused = outcome.refusal.message;
    else if (outcome.value !== "REPEATED") {
      received.accept(outcome.value);
      count++;
    }
  }
  expect(refused).toBe("document: this child has its share of what is kept here already");
  // Each has one word.
  expect(count).toBe(6);
});
