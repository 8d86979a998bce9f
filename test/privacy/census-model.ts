import { toBinary } from "@bufbuild/protobuf";
import { type Document, DocumentSchema } from "../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs, reportIntervalMs } from "../../relay/cadence.ts";
import type { Random } from "../../relay/random.ts";
import type { CensusAnswer } from "../../relay/telemetry/census/census-answer.ts";
import { censusSkewMs, windowToAnswer } from "../../relay/telemetry/census/census-windows.ts";
import { CensusNode, CensusSite, windows } from "../relay/telemetry/census/census-site.ts";

/** All that happens does once in so long. */
const stepMs = reportIntervalMs / 2;
const untilMs = windows.openedMs + 2.5 * windows.windowMs;

/** How a window was used, in truth and by real time. */
interface Use {
  readonly window: number;
  /** Of an instance that some node has heard of and kept; of others nobody can know. */
  readonly isTraced: boolean;
}

export interface CensusRun {
  /** For each window that a parent had an answer for. */
  readonly answers: readonly {
    readonly isUsed: boolean;
    readonly isTraced: boolean;
    readonly answer: CensusAnswer;
  }[];
}

/**
 * Some sites of one to three nodes each, below a parent that gets a document every six hours, or does
 * not. Instances come and go, lose reports, crash without a word and use the feature or not; nodes
 * are killed, started again with or without their disk, and cut off from each other, whose messages
 * are lost; clocks are apart. All that counts and answers is the core's own.
 */
export function censusRun(random: Random): CensusRun {
  const parent = new CensusNode("parent");
  parent.enroll(windows.openedMs - dayMs, true);
  const uses: Use[] = [];
  const sitesCount = 1 + random.below(3);
  for (let n = 0; n < sitesCount; n++)
    uses.push(...new ModelSite(random, { parent, name: `site-${n}` }).run());
  if (random.fraction() < 0.3) parent.restart();
  parent.look(untilMs);
  const last = windowToAnswer(windows, untilMs);
  const answers = Array.from({ length: last + 1 }, (_, window) => {
    const own = uses.filter((use) => use.window === window);
    const isTraced = own.some((use) => use.isTraced);
    return { isUsed: own.length > 0, isTraced, answer: parent.answer(window, untilMs).answer };
  });
  return { answers };
}

interface Instance {
  readonly id: string;
  readonly windowsUsed: Set<number>;
  /** The nodes that have heard of it, and have not lost that. */
  readonly knownTo: Set<CensusNode>;
  nextMs: number;
}

/** How often something happens in a step. */
interface Shares {
  readonly loss: number;
  readonly crash: number;
  readonly use: number;
  readonly kill: number;
  readonly cut: number;
}

class ModelSite {
  readonly #random: Random;
  readonly #parent: CensusNode;
  readonly #name: string;
  readonly #site: CensusSite;
  readonly #shares: Shares;
  readonly #instances = new Set<Instance>();
  readonly #gone: Instance[] = [];
  /** Since all looked last, and from nobody else. */
  #heard: { readonly instance: Instance; readonly node: CensusNode }[] = [];
  /** Until when nodes are down, or cut off. */
  readonly #awayUntilMs = new Map<CensusNode, number>();

  constructor(random: Random, of: { parent: CensusNode; name: string }) {
    [this.#random, this.#parent, this.#name] = [random, of.parent, of.name];
    const share = (most: number): number =>
      random.fraction() < 0.5 ? 0 : most * random.fraction();
    const kill = random.fraction() < 0.7 ? 0 : 0.01;
    const cut = random.fraction() < 0.7 ? 0 : 0.005;
    this.#shares = { loss: share(0.03), crash: share(0.02), use: share(0.02), kill, cut };
    const nodesCount = random.fraction() < 0.9 ? 1 : 2 + random.below(2);
    const nodes = Array.from({ length: nodesCount }, (_, n) => new CensusNode(`n${n}`));
    const skews = new Map(
      nodes.map((node) => [node, (random.fraction() - 0.5) * censusSkewMs] as const),
    );
    this.#site = new CensusSite(nodes, {
      isLost: () => random.fraction() < this.#shares.loss,
      clockOf: (node, realMs) => realMs + (skews.get(node) ?? 0),
    });
  }

  /** What was used, until the end. */
  run(): Use[] {
    const random = this.#random;
    // Most were there before it was asked for, some joined in the middle.
    const { openedMs, windowMs } = windows;
    const isEarly = random.fraction() < 0.8;
    const fromMs = openedMs + (isEarly ? -dayMs / 4 : random.fraction() * windowMs);
    for (const node of this.#site.nodes) node.runMs = fromMs;
    this.#site.nodes[0]!.enroll(this.#site.clock(this.#site.nodes[0]!, fromMs));
    this.#site.compare(fromMs);
    let documentMs = fromMs;
    for (let realMs = fromMs; realMs < untilMs; realMs += stepMs) {
      this.#disturb(realMs);
      this.#site.look(realMs, { writes: random.fraction() < 0.1 });
      this.#trace();
      if (random.fraction() < 0.05) this.#site.compare(realMs);
      if (realMs >= documentMs && this.#send(realMs)) documentMs = realMs + dayMs / 4;
      if (this.#instances.size < 3 && random.fraction() < 0.1) this.#start(realMs);
      for (const instance of this.#instances) this.#live(instance, realMs);
    }
    return [...this.#instances, ...this.#gone].flatMap(({ windowsUsed, knownTo }) =>
      [...windowsUsed].map((window) => ({ window, isTraced: knownTo.size > 0 })),
    );
  }

  /** Nodes fail, one at a time, and come back. */
  #disturb(realMs: number): void {
    const random = this.#random;
    for (const [node, untilMs] of this.#awayUntilMs) {
      if (realMs < untilMs) continue;
      this.#awayUntilMs.delete(node);
      if (node.isUp) this.#site.cut(node, false, realMs);
      else this.#startAgain(node, realMs);
    }
    if (this.#awayUntilMs.size > 0) return;
    const node = this.#any(this.#site.up);
    const what = random.fraction();
    if (node === undefined || what >= this.#shares.kill + this.#shares.cut) return;
    this.#awayUntilMs.set(node, realMs + random.fraction() * 3 * reportIntervalMs);
    if (what < this.#shares.kill) node.isUp = false;
    else this.#site.cut(node, true, realMs);
  }

  /** One that is alone is nobody without its disk. */
  #startAgain(node: CensusNode, realMs: number): void {
    const wallMs = this.#site.clock(node, realMs);
    if (this.#site.nodes.length === 1 || this.#random.fraction() < 0.8) {
      node.restart(wallMs);
      return;
    }
    node.replace(wallMs);
    for (const { knownTo } of [...this.#instances, ...this.#gone]) knownTo.delete(node);
  }

  /** From now on others miss it: a node has looked, and so said how many reports it has had. */
  #trace(): void {
    for (const { instance, node } of this.#heard) if (node.isUp) instance.knownTo.add(node);
    this.#heard = [];
  }

  /** A document may be lost: then the parent has the one before. */
  #send(realMs: number): boolean {
    const node = this.#any(this.#site.up);
    if (node === undefined) return false;
    const wallMs = this.#site.clock(node, realMs);
    const document = node.document(wallMs);
    if (this.#random.fraction() < 0.05) checkSize(document);
    if (this.#random.fraction() >= 0.05) this.#parent.hearChild(this.#name, document, realMs);
    return true;
  }

  #start(realMs: number): void {
    const id = `i-${this.#gone.length + this.#instances.size}`;
    const [windowsUsed, knownTo] = [new Set<number>(), new Set<CensusNode>()];
    this.#instances.add({ id, windowsUsed, knownTo, nextMs: realMs });
  }

  #live(instance: Instance, realMs: number): void {
    const random = this.#random;
    if (random.fraction() < this.#shares.use)
      instance.windowsUsed.add(Math.floor((realMs - windows.openedMs) / windows.windowMs));
    const isLast = random.fraction() < 0.02;
    const hasCrashed = random.fraction() < this.#shares.crash;
    if (realMs >= instance.nextMs || isLast) {
      const node = this.#any(this.#site.up);
      const isHeard = node !== undefined && !hasCrashed && random.fraction() >= this.#shares.loss;
      if (isHeard) this.#report(instance, { node, isLast, realMs });
      instance.nextMs = realMs + reportIntervalMs * (isHeard ? 1 : 0.5);
    }
    if (!isLast && !hasCrashed) return;
    this.#instances.delete(instance);
    this.#gone.push(instance);
  }

  #report(
    instance: Instance,
    { node, isLast, realMs }: { node: CensusNode; isLast: boolean; realMs: number },
  ): void {
    const said = { instance: instance.id, isUsed: instance.windowsUsed.size > 0, isLast };
    const [, ...others] = this.#site.report(node, said, realMs);
    for (const other of others) instance.knownTo.add(other);
    // One that is alone has watched nothing of what it lost.
    if (this.#site.nodes.length === 1) instance.knownTo.add(node);
    else this.#heard.push({ instance, node });
  }

  #any(nodes: readonly CensusNode[]): CensusNode | undefined {
    return nodes[this.#random.below(nodes.length)];
  }
}

const documentBytes = sizeOf(new CensusNode().document(windows.openedMs));

function checkSize(document: Document): void {
  if (sizeOf(document) !== documentBytes) throw new Error("a document of another size");
}

function sizeOf(document: Document): number {
  return toBinary(DocumentSchema, document).length;
}
