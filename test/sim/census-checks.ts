import type { CensusStanding } from "../../gen/headwater/v1/censuses_pb.ts";
import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import { peerIntervalMs } from "../../relay/cadence.ts";
import { compareVersions, parseVersion } from "../../relay/flag/version.ts";
import type { CensusAnswer } from "../../relay/telemetry/census/census-answer.ts";
import { slotAnswer } from "../../relay/telemetry/census/census-children.ts";
import { censusSkewMs, graceMsOf } from "../../relay/telemetry/census/census-windows.ts";
import type { Hold } from "./checks.ts";
import type { Link } from "./link.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { World } from "./world.ts";

/** Something that a census may ask about, in true time. */
interface Used {
  readonly site: string;
  readonly instance: string;
  /** A feature, a flag, or the version that runs. */
  readonly what: "feature" | "flag" | "version";
  readonly name: string;
  readonly atMs: number;
  /** How far the clocks of the site's nodes were off. */
  readonly skewsMs: readonly number[];
}

/** A question and one of its windows, in true time. */
interface Asked {
  readonly kind: string;
  readonly name: string;
  readonly key: string;
  readonly window: number;
  readonly windowMs: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly skewMs: number;
  readonly graceMs: number;
}

/** What a parent has been told by a site, as long as its disk lasts. */
interface Known {
  sinceMs: number;
  leftMs: number | undefined;
  /** Windows that it has said were used, with their questions. */
  readonly usedWindows: Set<string>;
}

/** Within which a node has told the others of its site what it has heard, or that it lives. */
const tellingMs = 3 * peerIntervalMs;

/** How often each answer was the last of a node on a window. */
export type CensusCounts = Readonly<Record<CensusAnswer, number>>;

/**
 * Holds the answers of every hop against what apps have really done. A use counts when a node of
 * the site has heard of the instance before, or hears of it within the time that reports may take:
 * nobody can see one that came and went without a word, or with one to a node that went with it. A site counts at a parent that has been told
 * that it takes part, from then on.
 */
export class CensusChecks {
  readonly #world: World;
  readonly #hold: Hold;
  readonly #project: string;
  readonly #used: Used[] = [];
  /** When nodes have heard of each instance. */
  readonly #heard = new Map<string, { node: string; atMs: number }[]>();
  /** When each node died. */
  readonly #deathsMs = new Map<string, number[]>();
  /** By parent and site. */
  readonly #known = new Map<string, Known>();
  /** Sites whose documents are not what their nodes have made, since when. */
  readonly #liars = new Set<string>();
  /** The last answer on each window, by node, question and window. */
  readonly #answers = new Map<string, CensusAnswer>();

  constructor(of: { world: World; hold: Hold; project: string }) {
    this.#world = of.world;
    this.#hold = of.hold;
    this.#project = of.project;
  }

  used(of: Pick<Used, "site" | "instance" | "what" | "name">): void {
    const skewsMs = this.#nodesOf(of.site).map(({ clock }) => clock.skewMs);
    this.#used.push({ ...of, atMs: this.#world.nowMs, skewsMs });
  }

  heard(instance: string, node: string): void {
    const heard = this.#heard.get(instance) ?? [];
    this.#heard.set(instance, [...heard, { node, atMs: this.#world.nowMs }]);
  }

  died({ name }: SimulatedNode): void {
    this.#deathsMs.set(name, [...(this.#deathsMs.get(name) ?? []), this.#world.nowMs]);
  }

  lies(site: string): void {
    this.#liars.add(site);
  }

  /** A parent's memory of who takes part went with its disk. */
  forget(node: string): void {
    for (const key of this.#known.keys()) if (key.startsWith(`${node} `)) this.#known.delete(key);
  }

  documentAccepted({ parent, child }: Link, { kind, census }: Document): void {
    if (kind !== "WEIGHTS") return;
    const key = `${parent} ${this.#world.get(child).settings.site}`;
    const { nowMs } = this.#world;
    const takesPart = census.some(({ answer = 0 }) => answer > 0);
    if (!takesPart && !this.#known.has(key)) return;
    const known = this.#known.get(key) ?? {
      sinceMs: nowMs,
      leftMs: undefined,
      usedWindows: new Set(),
    };
    known.leftMs = takesPart ? undefined : (known.leftMs ?? nowMs);
    for (const { openedMs, window, answer = 0 } of census)
      if (answer === slotAnswer("USED")) known.usedWindows.add(`${openedMs} ${window}`);
    this.#known.set(key, known);
  }

  /** Looks at all answers that a node has now. */
  look(node: SimulatedNode): void {
    const { wallMs } = this.#world.momentOf(node);
    const listed = node.node.reads.censuses(this.#project, wallMs);
    if (!listed.ok) return;
    const watches = listed.value.enrolled && !listed.value.withoutApps;
    for (const census of listed.value.censuses)
      for (const { window, answer, expelled } of census.results)
        this.#answered(node, askedOf(census, window, epochOf(this.#world)), {
          answer: answer as CensusAnswer,
          watches,
          isPartial: expelled,
        });
  }

  /** How often each answer came out: of all nodes, or of one. */
  counts(node?: string): CensusCounts {
    const counts = { UNUSED: 0, UNKNOWN: 0, USED: 0 };
    for (const [key, answer] of this.#answers)
      if (node === undefined || key.startsWith(`${node} `)) counts[answer]++;
    return counts;
  }

  #answered(
    node: SimulatedNode,
    asked: Asked,
    of: { answer: CensusAnswer; watches: boolean; isPartial: boolean },
  ): void {
    const { answer, watches } = of;
    this.#answers.set(`${node.name} ${asked.key} ${asked.window}`, answer);
    const what = `${asked.kind} ${asked.name} in window ${asked.window} (${asked.startMs} to ${asked.endMs} ms)`;
    // One that says that somebody is left out is about the others alone.
    if (answer === "UNUSED" && !of.isPartial) {
      const use = this.#used.find(
        (one) =>
          counts(one, asked, this.#heardSinceMs(one)) &&
          this.#answersFor(node, one.site, asked, watches),
      );
      this.#hold(
        "U10",
        node.name,
        use === undefined,
        () => `it says unused of ${what}, and ${use?.instance} used it at ${use?.atMs} ms`,
      );
      const teller = this.#tellerOf(node, asked);
      this.#hold(
        "U10",
        node.name,
        teller === undefined,
        () => `it says unused of ${what}, and ${teller} has said that it was used`,
      );
    }
    if (answer !== "USED" || this.#liars.size > 0) return;
    // A clock that is behind takes a use for an earlier one; there is no other to go by.
    const isTrue = this.#used.some(
      (one) =>
        isAbout(one, asked) &&
        one.atMs + Math.min(0, ...one.skewsMs) <= asked.endMs + asked.windowMs,
    );
    this.#hold("U10", node.name, isTrue, () => `it says used of ${what}, and nobody did`);
  }

  /** Where nodes share a site, what one has heard last may have died with it and the instance. */
  #heardSinceMs({ site, instance }: Used): number | undefined {
    const isAlone = this.#nodesOf(site).length === 1;
    return this.#heard.get(instance)?.find(({ node, atMs }) => {
      const deathsMs = this.#deathsMs.get(node) ?? [];
      return isAlone || !deathsMs.some((deadMs) => deadMs >= atMs && deadMs <= atMs + tellingMs);
    })?.atMs;
  }

  /** A site that takes part here, and has said itself that a window was used. */
  #tellerOf(node: SimulatedNode, asked: Asked): string | undefined {
    const openedMs = asked.key.slice(asked.key.lastIndexOf("/") + 1);
    const told = [...this.#known].find(
      ([key, known]) =>
        key.startsWith(`${node.name} `) &&
        known.usedWindows.has(`${openedMs} ${asked.window}`) &&
        takesPart(known, asked),
    );
    return told?.[0].slice(node.name.length + 1);
  }

  /** Whether what a node says is about a site too: its own, or one that it knows to take part. */
  #answersFor(node: SimulatedNode, site: string, asked: Asked, watches = true): boolean {
    if (node.settings.site === site) return watches;
    return [...this.#known].some(([key, known]) => {
      if (!key.startsWith(`${node.name} `) || !takesPart(known, asked)) return false;
      const child = key.slice(node.name.length + 1);
      if (this.#liars.has(child)) return false;
      return (
        child === site || this.#nodesOf(child).some((one) => this.#answersFor(one, site, asked))
      );
    });
  }

  #nodesOf(site: string): SimulatedNode[] {
    return [...this.#world.nodes.values()].filter(
      ({ name, settings }) => settings.site === site && !name.endsWith("-twin"),
    );
  }
}

function takesPart({ sinceMs, leftMs }: Known, { startMs, endMs, skewMs }: Asked): boolean {
  return sinceMs + skewMs <= endMs && (leftMs === undefined || leftMs > startMs + skewMs);
}

function epochOf({ now, nowMs }: World): number {
  return now.wallMs - nowMs;
}

function askedOf(census: CensusStanding, window: number, epochMs: number): Asked {
  const { kind, name, key } = census;
  const windowMs = Number(census.windowMs);
  const startMs = Number(census.openedMs) + window * windowMs - epochMs;
  // As far as clocks may be apart; in short windows that much less.
  const skewMs = Math.min(censusSkewMs, windowMs / 20);
  const graceMs = graceMsOf({ openedMs: Number(census.openedMs), windowMs });
  return { kind, name, key, window, windowMs, startMs, endMs: startMs + windowMs, skewMs, graceMs };
}

function isAbout({ what, name }: Used, asked: Asked): boolean {
  if (asked.kind !== "BELOW") return what === asked.kind.toLowerCase() && name === asked.name;
  const [version, wanted] = [parseVersion(name), parseVersion(asked.name)];
  return (
    what === "version" &&
    version !== undefined &&
    wanted !== undefined &&
    compareVersions(version, wanted) < 0
  );
}

/** Whether a use has to be in the answer on a window, by whichever clock of its site. */
function counts(used: Used, asked: Asked, heardMs: number | undefined): boolean {
  if (!isAbout(used, asked)) return false;
  if (heardMs === undefined || used.atMs < heardMs - asked.graceMs) return false;
  // By true time, and by every clock that there was to go by.
  return [0, ...used.skewsMs].every((skewMs) => {
    const atMs = used.atMs + pastOf(skewMs, asked.skewMs);
    return atMs >= asked.startMs && atMs < asked.endMs;
  });
}

/** What a clock is off by more than clocks may be. */
function pastOf(skewMs: number, allowedMs: number): number {
  return Math.sign(skewMs) * Math.max(0, Math.abs(skewMs) - allowedMs);
}
