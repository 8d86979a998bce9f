import { comparePositions } from "../../relay/ledger/position.ts";
import { toHex } from "../../relay/trust/key.ts";
import { calm, type Faults } from "./faults.ts";
import { commitFlags, type FlagChange, initProject, joinNodes, publishReleases } from "./mesh.ts";
import { type SimulatedNode, World } from "./world.ts";

interface Violation {
  readonly atMs: number;
  readonly node: string;
  /** The promise that was broken, in a user's words. */
  readonly what: string;
}

export interface RunResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly faultsCount: number;
  readonly commitsCount: number;
  /** The last position of the root. */
  readonly position: string;
  readonly log: readonly string[];
}

const project = "horizon";
const upstreamOfNode: Readonly<Record<string, string>> = {
  vendor: "root",
  "site-a1": "vendor",
  "site-b1": "vendor",
  "site-c1": "site-b1",
};

/**
 * A root, a vendor, three sites (one of two nodes, one behind another site), some minutes of
 * faults while flags change, then calm: and what was promised is checked all the way.
 */
export function runSeed(seed: number): RunResult {
  const world = new World(seed);
  const checks = new Checks(world);
  world.onStep = (node) => checks.step(node);
  build(world);
  world.faults = drawFaults(world);
  const commitsCount = disturb(world, checks);
  world.faults = calm;
  for (const name of world.nodes.keys()) world.restart(name);
  world.run(5 * 60_000);
  checks.end();
  const position = world
    .get("root")
    .node.reads.ledger({ project, authority: new Uint8Array(0) }, 0);
  return {
    seed,
    violations: checks.violations,
    faultsCount: world.faultsCount,
    commitsCount,
    position: position.ok ? `${position.value.position?.term}.${position.value.position?.seq}` : "",
    log: world.log,
  };
}

function build(world: World): void {
  world.add("root", { site: "upstream" });
  initProject(world, "root", project);
  publishReleases(world, "root", project, ["1.0.0", "1.1.0"]);
  for (const [name, parent] of Object.entries(upstreamOfNode)) {
    world.add(name, { site: name.replace(/\d$/, ""), disclosure: "ROUNDED" });
    joinNodes(world, parent, name);
    world.run(10_000);
  }
  world.add("site-a2", { site: "site-a" });
  for (const name of ["site-a1", "site-a2"])
    world.tell(name, { kind: "fanout-changed", connected: true, problem: "" });
  world.run(30_000);
}

function drawFaults(world: World): Faults {
  const upTo = (share: number): number =>
    world.random.below(3) === 0 ? 0 : world.random.fraction() * share;
  return {
    lossShare: upTo(0.3),
    duplicateShare: upTo(0.5),
    delayMsMax: 1 + world.random.below(world.random.below(2) === 0 ? 50 : 5_000),
    ordered: world.random.below(2) === 0,
    writeFailureShare: upTo(0.05),
    crashAfterWriteShare: upTo(0.02),
  };
}

/** Ten minutes in which everything happens; how many commits were acknowledged. */
function disturb(world: World, checks: Checks): number {
  const names = [...world.nodes.keys()];
  for (let i = 0; i < 120; i++) {
    world.run(world.random.below(10_000));
    const dice = world.random.below(10);
    if (dice < 5) change(world, checks);
    else if (dice < 6) crash(world, names);
    else if (dice < 8) cutOne(world);
  }
  return checks.acknowledgedCount;
}

function change(world: World, checks: Checks): void {
  if (!world.get("root").isAlive) return;
  const changes: FlagChange[] = [];
  const count = 1 + world.random.below(3);
  for (const at of new Set(Array.from({ length: count }, () => world.random.below(12)))) {
    const isDeleted = world.random.below(6) === 0;
    changes.push({
      name: `flag-${at}`,
      basisPoints: isDeleted ? undefined : world.random.below(101) * 100,
      ...(world.random.below(5) === 0 && { kill: "*" }),
    });
  }
  const outcome = commitFlags(world, "root", project, changes);
  if (outcome === undefined) checks.unanswered(changes);
  else if (outcome.ok) checks.acknowledged(changes);
}

function crash(world: World, names: readonly string[]): void {
  const name = names[world.random.below(names.length)];
  if (name === undefined || !world.get(name).isAlive) return;
  world.crash(name);
  world.later(world.random.below(60_000), () => world.restart(name));
}

function cutOne(world: World): void {
  const links = world.openLinks;
  const link = links[world.random.below(links.length)];
  if (link === undefined) return;
  world.faultsCount++;
  world.cut(link.id);
}

/** The promises, in the words of those they were made to. */
class Checks {
  readonly violations: Violation[] = [];
  acknowledgedCount = 0;
  readonly #world: World;
  readonly #highest = new Map<string, { term: number; seq: number }>();
  readonly #expected = new Map<string, FlagChange>();

  constructor(world: World) {
    this.#world = world;
  }

  acknowledged(changes: readonly FlagChange[]): void {
    this.acknowledgedCount++;
    for (const one of changes) this.#expected.set(one.name, one);
  }

  /** The writer died before it answered: it may be there or not. */
  unanswered(changes: readonly FlagChange[]): void {
    for (const { name } of changes) this.#expected.delete(name);
  }

  /** After each step: no node goes back, nor shows what was not signed, nor forgets its flags. */
  step(simulated: SimulatedNode): void {
    const { ledger, position } = this.#ledger(simulated);
    if (ledger === undefined) return;
    const highest = this.#highest.get(simulated.name);
    if (position === undefined) {
      if (highest !== undefined) this.#violated(simulated.name, "it has forgotten what it served");
      return;
    }
    if (highest !== undefined && comparePositions(position, highest) < 0)
      this.#violated(simulated.name, "it serves older state than it served before");
    this.#highest.set(simulated.name, position);
  }

  /** After the calm: every acknowledged write is there, everywhere, byte for byte. */
  end(): void {
    const root = this.#ledger(this.#world.get("root"));
    for (const simulated of this.#world.nodes.values()) {
      const { position, entries } = this.#ledger(simulated);
      const same =
        position !== undefined &&
        root.position !== undefined &&
        toHex(position.digest) === toHex(root.position.digest);
      if (!same)
        this.#violated(simulated.name, "it has not come to the root's state after the calm");
      const freshness = simulated.node.reads.freshness(project, this.#world.now.wallMs);
      if (freshness !== "FRESH")
        this.#violated(simulated.name, `it is ${freshness} after the calm`);
      if (entries === undefined) continue;
      for (const [name, expected] of this.#expected) this.#expect(simulated, name, expected);
    }
  }

  #expect(simulated: SimulatedNode, name: string, expected: FlagChange): void {
    const { wallMs } = this.#world.now;
    const table = simulated.node.reads.table(project, "1.0.0", wallMs);
    const flag = table?.flags.get(name);
    const wanted = expected.kill !== undefined ? 0 : expected.basisPoints;
    if (expected.basisPoints === undefined ? flag !== undefined : flag?.basisPoints !== wanted)
      this.#violated(simulated.name, `the acknowledged change of ${name} is not there`);
  }

  #ledger(simulated: SimulatedNode) {
    const read = simulated.node.reads.ledger({ project, authority: new Uint8Array(0) }, 0);
    if (!read.ok) return { ledger: undefined, position: undefined, entries: undefined };
    const { position, entries } = read.value;
    return { ledger: read.value, position, entries };
  }

  #violated(node: string, what: string): void {
    this.violations.push({ atMs: this.#world.nowMs, node, what });
  }
}
