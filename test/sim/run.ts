import type { Trust } from "../../gen/headwater/v1/ledger_pb.ts";
import { secondMs } from "../../relay/cadence.ts";
import { protocolOfAgain } from "../../relay/link/protocol.ts";
import type { NodeSettings } from "../../relay/settings.ts";
import { windowsOf } from "../../relay/telemetry/census/census-question.ts";
import { graceMsOf } from "../../relay/telemetry/census/census-windows.ts";
import type { CensusCounts } from "./census-checks.ts";
import { rememberCrypto } from "./fast-crypto.ts";
import type { FaultCounts } from "./fault-kinds.ts";
import { heal } from "./heal.ts";
import type { Link } from "./link.ts";
import { BrokenPromise, type PromiseId } from "./promises.ts";
import { project, Scene } from "./scene.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { Story } from "./story.ts";
import { drawStory, verbs } from "./story-draw.ts";

export interface RunResult {
  readonly story: Story;
  /** The first promise that was broken. */
  readonly broken: BrokenPromise | undefined;
  readonly faults: FaultCounts;
  readonly checks: ReadonlyMap<PromiseId, number>;
  /** What censuses came to, at all hops and at the root. */
  readonly census: { readonly all: CensusCounts; readonly root: CensusCounts };
  /** Where the project stands at the end. */
  readonly position: string;
  readonly log: readonly string[];
}

type Telemetry = NonNullable<NodeSettings["telemetry"]>;

/** Within which everything is well again once the faults have stopped. */
const convergeMsMax = 400 * secondMs;

/** For how long nothing may happen any more once all is well. */
const quietMs = 45 * secondMs;

const lookMs = 2 * secondMs;

export function runSeed(seed: number, telemetry?: Telemetry): RunResult {
  return runStory(drawStory(seed), telemetry);
}

/** Runs a story to its end, or to the first promise that is broken. */
export function runStory(story: Story, telemetry: Telemetry = "ON"): RunResult {
  rememberCrypto();
  const scene = new Scene(story, telemetry);
  let broken: BrokenPromise | undefined;
  try {
    scene.begin();
    play(scene);
    settle(scene);
  } catch (thrown) {
    if (!(thrown instanceof BrokenPromise)) throw thrown;
    broken = thrown;
  }
  const newest = scene.checks.truth.newest(scene.ledger);
  return {
    story,
    broken,
    faults: scene.world.faultCounts,
    checks: scene.checks.tally.counts,
    census: { all: scene.checks.census.counts(), root: scene.checks.census.counts("root") },
    position: `${newest?.term}.${newest?.seq}`,
    log: scene.world.log,
  };
}

function play(scene: Scene): void {
  const { world, story } = scene;
  const startMs = world.nowMs;
  world.faults = story.faults;
  for (const { atMs, words } of story.actions) {
    world.run(Math.max(0, startMs + atMs - world.nowMs));
    const [name = "", ...rest] = words;
    const verb = verbs[name];
    if (verb === undefined) throw new Error(`story: no verb ${JSON.stringify(name)}`);
    world.note(`--- ${words.join(" ")}`);
    verb.run(scene, rest);
  }
  world.run(3 * secondMs);
}

/** The faults stop: everybody comes to the same, and stays there. */
function settle(scene: Scene): void {
  const { world, checks } = scene;
  world.note("--- calm");
  heal(scene);
  world.run(secondMs);
  for (const finish of scene.atEnd) finish();
  scene.publishTrust();
  // A writer whose clock was ahead has signed what nobody takes yet: its operator goes on.
  scene.change([{ name: "last", says: "100" }]);
  const untilMs = world.nowMs + convergeMsMax;
  for (let lack = lackOf(scene); lack !== ""; lack = lackOf(scene)) {
    checks.hold(
      "U1",
      lack.slice(0, lack.indexOf(":")),
      world.nowMs < untilMs,
      () => `${lack}, ${convergeMsMax / secondMs} s after the faults have stopped`,
    );
    world.run(lookMs);
  }
  checks.settled(scene.standing, scene.keys.pinGrant(world.now.wallMs));
  stayQuiet(scene);
  checks.settled(scene.standing, scene.keys.pinGrant(world.now.wallMs));
}

function lackOf(scene: Scene): string {
  const dead = scene.world.openLinks.find(({ isDead }) => isDead);
  if (dead !== undefined) return `${dead.child}: it has not noticed that its link is dead`;
  for (const node of scene.standing) {
    const lack = scene.checks.lack(node) || trustLack(scene, node) || linkLack(scene, node.name);
    if (lack !== "") return `${node.name}: ${lack}`;
  }
  return "";
}

/** Who has heard of different roots and grants comes to the same. */
function trustLack({ keys }: Scene, { node }: SimulatedNode): string {
  const held = node.reads.trust({ project, authority: keys.authority });
  const trust = held.ok ? held.value.trust : undefined;
  const countsOf = (of: Trust | undefined): string =>
    `${of?.roots.length} roots and ${of?.grants.length} grants`;
  const [has, newest] = [trust, keys.trust].map(countsOf);
  return has === newest ? "" : `it knows ${has}, and there are ${newest}`;
}

function linkLack(scene: Scene, name: string): string {
  const { upstreams } = scene.world.get(name).node.reads.status(scene.world.now);
  const waiting = upstreams.find(
    ({ state, address }) => state !== "CONNECTED" && !scene.gone.has(address),
  );
  return waiting === undefined
    ? ""
    : `its link to ${waiting.address} is ${waiting.state}: ${waiting.problem}`;
}

/** Links that come and go without a fault say that two nodes disagree about something. */
function stayQuiet(scene: Scene): void {
  const { world, checks, gone } = scene;
  const before = world.openLinks;
  const excused = new Set(before.filter((link) => mayDialAnew(scene, link)));
  checks.rest.begin();
  world.run(quietMs);
  checks.rest.end({ graceMsMin: graceMsMinOf(scene) });
  const [link] = world.openLinks.filter(({ id, child, upstream, parent }) => {
    if (before.some((former) => former.id === id) || gone.has(parent)) return false;
    const former = before.find((one) => one.child === child && one.upstream === upstream);
    return former === undefined || !excused.has(former);
  });
  checks.hold(
    "U1",
    link?.child ?? "all",
    link === undefined,
    () => `its link to ${link?.parent} of ${project} goes down though nothing is wrong`,
  );
}

/** Within which a census hears of what is over; undefined where nothing is asked. */
function graceMsMinOf({ questions }: Scene): number | undefined {
  const graces = questions.map((census) => graceMsOf(windowsOf(census)));
  return graces.length === 0 ? undefined : Math.min(...graces);
}

/**
 * A child that was never told what it is offered dials anew when it has waited for that long
 * enough; so does one of protocol 1 when it listens again to what once did not check.
 */
function mayDialAnew({ world }: Scene, { child, parent, request, isMaimed }: Link): boolean {
  const { upstreams } = world.get(child).node.reads.status(world.now);
  const isBarred = upstreams.some(({ address, problem }) => address === parent && problem !== "");
  return isMaimed || (request.protocol < protocolOfAgain && isBarred);
}
