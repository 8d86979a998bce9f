import { setTimeout as sleep } from "node:timers/promises";
import { create, fromBinary } from "@bufbuild/protobuf";
import { CensusSchema } from "../../gen/headwater/v1/flag_pb.ts";
import {
  censusEntry,
  featureEntry,
  flagEntry,
  flagOf,
  type LedgerEntry,
} from "../../nodes/cli/commit/ledger-entry.ts";
import { censusesOpenMax, censusesYearMax, historyLengthMax } from "../../relay/limits.ts";
import type { Random } from "../../relay/random.ts";
import { eventually } from "../../scripts/demo/eventually.ts";
import type { NodeProcess } from "../../scripts/demo/node-process.ts";
import { adminOf, project, release } from "../chaos/chaos-mesh.ts";
import type { SoakMesh } from "./soak-mesh.ts";

export const feature = "old-api";

export const stableFlags: readonly string[] = Array.from({ length: 20 }, (_, n) => `flag-${n}`);

/** Nobody else changes them. */
const rampedFlags: readonly string[] = Array.from({ length: 4 }, (_, n) => `ramped-${n}`);

/** So many flags that come and go are there at once. */
const passingFlagsCount = 5;

const stepEveryMs = 800;
const censusWindowMs = 30_000;
const dwellMs = 120_000n;
const watchMs = 1_000;
const agreeMsMax = 120_000;

/** What operators, apps of other makers and monitoring do all day, and how often each of it. */
export class Churn {
  readonly counts: Record<string, number> = {};
  readonly #mesh: SoakMesh;
  readonly #random: Random;
  #passingCount = 0;
  #censusesCount = 0;

  constructor(of: { mesh: SoakMesh; random: Random }) {
    this.#mesh = of.mesh;
    this.#random = of.random;
  }

  /**
   * What is to be there before apps ask for it, and so many changes that every node's history of them
   * is full: it grows up to its bound, which is not what is to be measured.
   */
  async begin(): Promise<void> {
    const flags = [...stableFlags, ...rampedFlags].map((name) => flagAt(name, 0));
    await this.#commit([featureEntry(feature), ...flags]);
    for (let n = 0; n < historyLengthMax; n++)
      await this.#commit([flagAt(this.#any(stableFlags), n)]);
  }

  /** Goes on until it is told to stop; what is refused because of a fault is counted as that. */
  async run(signal: AbortSignal): Promise<void> {
    const steps = this.#steps();
    while (!signal.aborted) {
      await this.#any(steps)().catch(() => this.#count("refused meanwhile"));
      await sleep(stepEveryMs);
    }
  }

  /** @throws when not every node has the same in the end */
  async settle(nodes: readonly NodeProcess[]): Promise<void> {
    const flag = "mark";
    await eventually(
      "the root takes a change",
      () => this.#commit([flagAt(flag, 10_000)]).then(() => true),
      agreeMsMax,
    );
    for (const node of nodes)
      await eventually(
        `${node.name} has the last change`,
        async () => (await node.evaluate({ project, flag, version: release })).enabled,
        agreeMsMax,
      );
  }

  /** Each as often as it is in the list. */
  #steps(): (() => Promise<void>)[] {
    const often = [
      () => this.#change(),
      () => this.#change(),
      () => this.#replace(),
      () => this.#evaluate(),
      () => this.#evaluate(),
      () => this.#listen(),
      () => this.#look(),
      () => this.#look(),
    ];
    return [...often, ...often, ...often, () => this.#ramp(), () => this.#ask()];
  }

  async #change(): Promise<void> {
    const name = this.#any(stableFlags);
    const isKilled = this.#random.below(5) === 0;
    await this.#commit([flagAt(name, this.#random.below(10_001), isKilled)]);
    this.#count("flags changed");
  }

  async #replace(): Promise<void> {
    const n = this.#passingCount++;
    const gone = n < passingFlagsCount ? [] : [`flag/passing-${n - passingFlagsCount}`];
    await this.#commit([flagAt(`passing-${n}`, 5_000)], gone);
    this.#count("flags made");
  }

  async #evaluate(): Promise<void> {
    const node = this.#anyNode();
    const flag = this.#any(stableFlags);
    const context = { targetingKey: `other-${this.#random.below(1_000)}`, version: release };
    await post(`http://${node.apps}/ofrep/v1/evaluate/flags/${project}/${flag}`, { context });
    const asked = { flagKey: flag, context };
    await post(`http://${node.apps}/flagd.evaluation.v1.Service/ResolveBoolean`, asked);
    this.#count("questions of other clients", 2);
  }

  /** A page of somebody that is open for a moment. */
  async #listen(): Promise<void> {
    const over = new AbortController();
    const watching = adminOf(this.#anyNode()).nodes.watchFlags(
      { project },
      { signal: over.signal },
    );
    const timer = setTimeout(() => over.abort(), watchMs);
    try {
      for await (const _ of watching) this.#count("states watched");
    } catch (thrown) {
      if (!over.signal.aborted) throw thrown;
    } finally {
      clearTimeout(timer);
    }
  }

  async #look(): Promise<void> {
    const node = this.#anyNode();
    const admin = adminOf(node);
    await (await fetch(`http://${node.admin}/metrics`, { headers: tokenOf(admin.token) })).text();
    await admin.nodes.getStatus({});
    await admin.fleet.getFleet({ project });
    await admin.ledgers.listHistory({ project, limit: 20 });
    this.#count("looks of monitoring and people");
  }

  /** One rollout after the other, each begun anew before the last one may be over. */
  async #ramp(): Promise<void> {
    const { rollouts } = adminOf(this.#mesh.root);
    const flag = this.#any(rampedFlags);
    await rollouts.changeRollout({ project, flag, action: "ABORT" }).catch(() => {});
    await this.#commit([flagAt(flag, 0)]);
    const steps = [1_000, 5_000, 10_000].map((basisPoints) => ({ basisPoints, dwellMs }));
    await rollouts.startRollout({ project, flag, plan: { steps, hops: 2 } });
    this.#count("rollouts");
  }

  /** A ledger asks at most so much in a year, however long this goes on. */
  async #ask(): Promise<void> {
    if (this.#censusesCount >= censusesYearMax) return;
    const open = await this.#openCensuses();
    // The same is asked again only once it is closed.
    if (open.length > 0) await this.#commit(open.map(closed));
    const slot = this.#censusesCount % censusesOpenMax;
    const openedMs = BigInt(Date.now() + 5_000);
    const of = { kind: "FEATURE", name: feature, slot, openedMs, windowMs: BigInt(censusWindowMs) };
    await this.#commit([censusEntry(create(CensusSchema, of))]);
    this.#censusesCount++;
    this.#count("censuses");
  }

  async #openCensuses() {
    const { entries } = await adminOf(this.#mesh.root).ledgers.getLedger({ project });
    return entries
      .filter(({ key }) => key.startsWith("census/"))
      .map(({ value }) => fromBinary(CensusSchema, value))
      .filter(({ closedMs }) => closedMs === 0n)
      .toSorted((a, b) => Number(a.openedMs - b.openedMs));
  }

  async #commit(
    entries: readonly LedgerEntry[],
    tombstones: readonly string[] = [],
  ): Promise<void> {
    await adminOf(this.#mesh.root).ledgers.commit({
      ledger: { project },
      entries: [...entries],
      tombstones: [...tombstones],
    });
  }

  #anyNode(): NodeProcess {
    const { root, vendor, site, mill } = this.#mesh;
    return this.#any([root, vendor, ...site.map(({ node }) => node), mill]);
  }

  #any<T>(all: readonly T[]): T {
    return all[this.#random.below(all.length)]!;
  }

  #count(what: string, by: number = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + by;
  }
}

function flagAt(name: string, basisPoints: number, isKilled: boolean = false): LedgerEntry {
  const kill = isKilled ? { kill: "*" } : {};
  return flagEntry(flagOf({ name, basisPoints, note: "", versions: "", ...kill }));
}

function closed(census: ReturnType<typeof create<typeof CensusSchema>>): LedgerEntry {
  return censusEntry({ ...census, closedMs: BigInt(Date.now()) });
}

async function post(url: string, body: object): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  await answer.text();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
}

function tokenOf(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}
