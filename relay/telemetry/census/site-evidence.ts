import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type CensusEvidence, CensusEvidenceSchema } from "../../../gen/headwater/v1/store_pb.ts";
import { clockSkewMsMax } from "../../cadence.ts";
import type { Records } from "../../durable.ts";
import type { Write } from "../../effect.ts";
import { isName } from "../../flag/name.ts";
import { censusSpansMax, censusWindowsMax, peersCountMax } from "../../limits.ts";
import { type Stamp, stampOf } from "../../site/slices.ts";
import type { Evidence, SiteWatch } from "./census-watch.ts";
import { joinSpans, spansUntil } from "./watched-span.ts";

/** A node's name is short, wherever it comes from. */
const nodeLengthMax = 200;

/**
 * What the nodes of a site have told of each question, this one included. Each record has one
 * writer, and is joined by union: older ones that come later take nothing back.
 */
export class SiteEvidence {
  readonly #node: string;
  /** By question, then node. */
  readonly #told = new Map<string, Map<string, CensusEvidence>>();

  /** @param node the name of this one */
  constructor(node: string, records: Records) {
    this.#node = node;
    for (const bytes of records.get("census-evidence")?.values() ?? []) {
      const record = fromBinary(CensusEvidenceSchema, bytes);
      this.accept(record.node === "" ? { ...record, node } : record);
    }
  }

  get keys(): IterableIterator<string> {
    return this.#told.keys();
  }

  /** What this node has told; of windows of another length it means nothing. */
  own(key: string, windowMs: bigint): Evidence | undefined {
    const record = this.#told.get(key)?.get(this.#node);
    return record?.windowMs === windowMs ? evidenceOf(record) : undefined;
  }

  /** The other nodes: those that have told something, and those that are there without a word. */
  others(key: string, windowMs: bigint, present: ReadonlySet<string>): SiteWatch[] {
    const told = [...(this.#told.get(key) ?? [])].filter(
      ([node, record]) => node !== this.#node && record.windowMs === windowMs,
    );
    const silent = [...present].filter((node) => !told.some(([other]) => other === node));
    return [
      ...told.map(([node, record]) => {
        return { evidence: evidenceOf(record), isPresent: present.has(node) };
      }),
      ...silent.map(() => ({ evidence: undefined, isPresent: true })),
    ];
  }

  /** What was told while clocks were ahead, this node's too: of the time to come it says nothing. */
  correct(wallMs: number): void {
    for (const nodes of this.#told.values())
      for (const record of nodes.values()) {
        if (Number(record.toldMs) <= wallMs + clockSkewMsMax) continue;
        const evidence = evidenceOf(record);
        const watched = spansUntil(wallMs, evidence.watched);
        const known = { ...evidence, watched, toldMs: wallMs, isLast: false };
        nodes.set(record.node, evidenceRecord(record, known));
      }
  }

  get shared(): { record: CensusEvidence; stamp: Stamp }[] {
    return [...this.#told.values()].flatMap((nodes) =>
      [...nodes.values()].map((record) => {
        const stamp = stampOf(recordKey(record), versionOf(record));
        return { record, stamp };
      }),
    );
  }

  /** What others tell, as far as it is news: joined with what is held. */
  heard(all: readonly CensusEvidence[], wallMs: number): CensusEvidence[] {
    const newCounts = new Map<string, number>();
    return all.flatMap((theirs) => {
      if (evidenceProblem(theirs, wallMs) !== undefined) return [];
      const key = questionKey(theirs);
      const nodes = this.#told.get(key);
      const held = nodes?.get(theirs.node);
      if (held === undefined) {
        const newCount = newCounts.get(key) ?? 0;
        newCounts.set(key, newCount + 1);
        return (nodes?.size ?? 0) + newCount < peersCountMax ? [theirs] : [];
      }
      const joined = join(held, theirs);
      return versionOf(joined) === versionOf(held) ? [] : [joined];
    });
  }

  accept(record: CensusEvidence): void {
    const key = questionKey(record);
    const nodes = this.#told.get(key) ?? new Map<string, CensusEvidence>();
    this.#told.set(key, nodes.set(record.node, record));
  }

  /** As it is kept: what this node has told itself is its own, whatever its name will be. */
  write(record: CensusEvidence): Write {
    const isOwn = record.node === this.#node;
    const value = toBinary(CensusEvidenceSchema, isOwn ? { ...record, node: "" } : record);
    return { bucket: "census-evidence", key: this.#diskKey(record), value };
  }

  /** All that is held of a question goes. */
  removal(key: string): Write[] {
    const records = [...(this.#told.get(key)?.values() ?? [])];
    return records.map((record) => {
      return { bucket: "census-evidence", key: this.#diskKey(record), value: undefined };
    });
  }

  drop(key: string): void {
    this.#told.delete(key);
  }

  #diskKey(record: CensusEvidence): string {
    return record.node === this.#node ? questionKey(record) : recordKey(record);
  }
}

export function evidenceRecord(
  of: Pick<CensusEvidence, "project" | "name" | "windowMs" | "node">,
  evidence: Evidence,
): CensusEvidence {
  const { project, name, windowMs, node } = of;
  return create(CensusEvidenceSchema, {
    project,
    name,
    windowMs,
    node,
    used: [...evidence.used],
    doubted: [...evidence.doubted],
    watched: evidence.watched.map(({ fromMs, toMs }) => ({
      fromMs: BigInt(Math.ceil(fromMs)),
      toMs: BigInt(Math.floor(toMs)),
    })),
    toldMs: BigInt(Math.floor(evidence.toldMs)),
    stopped: evidence.isLast,
  });
}

function evidenceOf({ used, doubted, watched, toldMs, stopped }: CensusEvidence): Evidence {
  const spans = watched.map(({ fromMs, toMs }) => ({ fromMs: Number(fromMs), toMs: Number(toMs) }));
  return { used, doubted, watched: spans, toldMs: Number(toldMs), isLast: stopped };
}

/** Of windows of another length the later word alone counts. */
function join(held: CensusEvidence, theirs: CensusEvidence): CensusEvidence {
  if (held.windowMs !== theirs.windowMs) return theirs.toldMs > held.toldMs ? theirs : held;
  const [one, other] = [evidenceOf(held), evidenceOf(theirs)];
  const toldMs = Math.max(one.toldMs, other.toldMs);
  const windows = (some: readonly number[], others: readonly number[]): number[] =>
    [...new Set([...some, ...others])].sort((a, b) => a - b).slice(-censusWindowsMax);
  return evidenceRecord(held, {
    used: windows(one.used, other.used),
    doubted: windows(one.doubted, other.doubted),
    watched: joinSpans(one.watched, other.watched)
      .sort((a, b) => a.fromMs - b.fromMs)
      .slice(-censusSpansMax),
    toldMs,
    isLast: [one, other].some((each) => each.toldMs === toldMs && each.isLast),
  });
}

/** Equal for the same, in whatever order it was heard. */
function versionOf({ windowMs, used, doubted, watched, toldMs, stopped }: CensusEvidence): string {
  const spans = watched.map(({ fromMs, toMs }) => `${fromMs}-${toMs}`).sort();
  const windows = [used, doubted].map((some) => some.toSorted((a, b) => a - b));
  return [windowMs, toldMs, stopped, ...windows, spans].join(" ");
}

function evidenceProblem(record: CensusEvidence, wallMs: number): string | undefined {
  const { node, used, doubted, watched } = record;
  if (node === "" || node.length > nodeLengthMax) return "node: none, or too long";
  if (!isName(record.project)) return "project: no name";
  if (used.length > censusWindowsMax || doubted.length > censusWindowsMax)
    return `used, doubted: more than ${censusWindowsMax} windows`;
  if (watched.length > censusSpansMax) return `watched: more than ${censusSpansMax}`;
  const latestMs = BigInt(Math.ceil(wallMs + clockSkewMsMax));
  if (record.toldMs > latestMs) return "told_ms: from the future";
  return watched.every(({ fromMs, toMs }) => toMs <= latestMs || toMs <= fromMs)
    ? undefined
    : "watched: in the future";
}

function questionKey({ project, name }: CensusEvidence): string {
  return `${project} ${name}`;
}

function recordKey(record: CensusEvidence): string {
  return `${questionKey(record)} ${record.node}`;
}
