import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type CensusChild as CensusChildRecord,
  CensusChildSchema,
  type CensusWord,
  CensusWordSchema,
} from "../../../gen/headwater/v1/store_pb.ts";
import type { Document } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { clockSkewMsMax } from "../../cadence.ts";
import type { Records } from "../../durable.ts";
import { isName } from "../../flag/name.ts";
import { censusesOpenMax, receivedPerProjectMax } from "../../limits.ts";
import { type Stamp, stampOf } from "../../site/slices.ts";
import type { Pending } from "../../staged.ts";
import { type CensusAnswer, type CensusChild, censusAnswers } from "./census-answer.ts";

/** The window of a slot whose question has none that is over. */
export const noWindow = 2 ** 32 - 1;

/** Words of one question that are kept of a child. */
const wordsKept = 4;

/** Words of all questions that are kept of a child: those that come last. */
const wordsMax = 3 * wordsKept * censusesOpenMax;

/** All those that there is no room for are one child, which has this name and never answers. */
const crowd = "";

/** What children that take part have said, by project; what each said last of a window counts. */
export class CensusChildren {
  /** By project, then child. */
  readonly #projects = new Map<string, Map<string, CensusChildRecord>>();

  constructor(records: Records) {
    for (const bytes of records.get("census-child")?.values() ?? [])
      this.#accept(fromBinary(CensusChildSchema, bytes));
  }

  /** A document of weights has come; children of older versions have no census in it. */
  hear(child: string, document: Document, wallMs: number): Pending {
    const { project } = document;
    const takesPart = document.census.some(({ answer = 0 }) => answer > 0);
    const isKnown = this.#of(project).has(child);
    if (document.kind !== "WEIGHTS" || (!isKnown && !takesPart)) return nothing;
    const name = isKnown || this.#hasRoom(project) ? child : crowd;
    const held = this.#of(project).get(name);
    const now = BigInt(Math.floor(wallMs));
    const left = held?.leftMs || now;
    return this.#change([
      create(CensusChildSchema, {
        child: name,
        project,
        sinceMs: held?.sinceMs ?? now,
        heardMs: takesPart ? now : (held?.heardMs ?? now),
        leftMs: takesPart ? 0n : left,
        words: name === crowd ? [] : joinWords(held?.words ?? [], wordsOf(document)),
      }),
    ]);
  }

  /** What the other nodes of the site are to hold too. */
  get shared(): { record: CensusChildRecord; stamp: Stamp }[] {
    const records = [...this.#projects.values()].flatMap((children) => [...children.values()]);
    return records.map((record) => {
      return { record, stamp: stampOf(keyOf(record), versionOf(record)) };
    });
  }

  /** What children have said at other nodes of the site, as far as it is news. */
  heard(all: readonly CensusChildRecord[], wallMs: number): Pending {
    const news = new Map<string, CensusChildRecord>();
    for (const said of all) {
      if (childProblem(said, wallMs) !== undefined) continue;
      const isKnown = this.#of(said.project).has(said.child) || said.child === crowd;
      const theirs = isKnown || this.#hasRoom(said.project, news.size) ? said : crowdOf(said);
      const key = keyOf(theirs);
      const held = news.get(key) ?? this.#of(theirs.project).get(theirs.child);
      const joined = held === undefined ? theirs : join(held, theirs);
      if (held === undefined || versionOf(joined) !== versionOf(held)) news.set(key, joined);
    }
    return this.#change([...news.values()]);
  }

  #change(records: readonly CensusChildRecord[]): Pending {
    return {
      writes: records.map((record) => {
        const value = toBinary(CensusChildSchema, record);
        return { bucket: "census-child", key: keyOf(record), value };
      }),
      accept: () => {
        for (const record of records) this.#accept(record);
      },
    };
  }

  #accept(record: CensusChildRecord): void {
    this.#projects.set(record.project, this.#of(record.project).set(record.child, record));
  }

  #hasRoom(project: string, more: number = 0): boolean {
    return this.#of(project).size + more < receivedPerProjectMax;
  }

  /**
   * Of those who took part at any time during a window, what they have said of it. Who was first
   * heard of after its end counts for what it can not rule out, as its first documents may have been
   * lost; who was after its beginning can not say that there was nothing before.
   */
  said(of: {
    project: string;
    openedMs: number;
    windowMs: number;
    window: number;
  }): (CensusChild & {
    readonly isExpelled: boolean;
  })[] {
    const startMs = of.openedMs + of.window * of.windowMs;
    return [...this.#of(of.project).values()].flatMap(({ sinceMs, heardMs, leftMs, words }) => {
      const word = words.find(
        ({ openedMs, window }) => Number(openedMs) === of.openedMs && window === of.window,
      );
      const said = word === undefined ? "UNKNOWN" : answerOf(word.answer);
      const isAfter = Number(sinceMs) > startMs + of.windowMs;
      if (isAfter && (word === undefined || said === "UNUSED")) return [];
      // Nodes of one site that were not all told to take part say so by turns.
      if (leftMs !== 0n && Number(leftMs) + of.windowMs < startMs) return [];
      const isLate = Number(sinceMs) > startMs;
      const answer = isLate && said === "UNUSED" ? "UNKNOWN" : said;
      const isExpelled = word?.expelled === true;
      const window = word === undefined ? -1 : of.window;
      return [{ window, answer, heardMs: Number(heardMs), isExpelled }];
    });
  }

  #of(project: string): Map<string, CensusChildRecord> {
    return this.#projects.get(project) ?? new Map<string, CensusChildRecord>();
  }
}

const nothing: Pending = { writes: [], accept: () => {} };

/** As a slot has it: 0 is for whoever does not take part. */
export function slotAnswer(answer: CensusAnswer): number {
  return censusAnswers.indexOf(answer) + 1;
}

/** What is not understood is not known. */
function answerOf(slot: number): CensusAnswer {
  return censusAnswers[slot - 1] ?? "UNKNOWN";
}

/** What a document says of windows that are over. */
function wordsOf({ census, window: inWindow = 0n, windowMs = 0 }: Document): CensusWord[] {
  const saidMs = inWindow * BigInt(windowMs);
  return census.flatMap((slot) => {
    const { openedMs = 0n, window = noWindow, answer = 0, expelled = 0 } = slot;
    if (openedMs === 0n || window === noWindow || answer === 0) return [];
    return [create(CensusWordSchema, { openedMs, window, answer, expelled: expelled > 0, saidMs })];
  });
}

/** `USED` stays; else the last word counts: a hop that still waits for others says `UNKNOWN`. */
function joinWords(held: readonly CensusWord[], fresh: readonly CensusWord[]): CensusWord[] {
  const words = new Map<string, CensusWord>();
  const newest = new Map<bigint, number>();
  for (const word of [...held, ...fresh]) {
    const key = `${word.openedMs} ${word.window}`;
    const other = words.get(key);
    words.set(key, other === undefined ? word : joinWord(other, word));
    newest.set(word.openedMs, Math.max(word.window, newest.get(word.openedMs) ?? 0));
  }
  return [...words.values()]
    .filter(({ openedMs, window }) => window + wordsKept > (newest.get(openedMs) ?? 0))
    .sort(byTime)
    .slice(-wordsMax);
}

function byTime(one: CensusWord, other: CensusWord): number {
  return Number(one.openedMs - other.openedMs) || one.window - other.window;
}

/** Whichever is held and whichever comes, the outcome is one of them, and the same. */
function joinWord(one: CensusWord, other: CensusWord): CensusWord {
  const rankOf = ({ answer, saidMs, expelled }: CensusWord): readonly [number, bigint, number] => {
    const isUsed = answerOf(answer) === "USED";
    return isUsed
      ? [1, -saidMs, Number(expelled)]
      : [0, saidMs, 2 * censusAnswers.indexOf(answerOf(answer)) + Number(expelled)];
  };
  const [ranks, others] = [rankOf(one), rankOf(other)];
  for (const [at, rank] of ranks.entries()) {
    const against = others[at] ?? 0;
    if (rank !== against) return rank > against ? one : other;
  }
  return one;
}

function join(one: CensusChildRecord, other: CensusChildRecord): CensusChildRecord {
  const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
  const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);
  const heardMs = most(one.heardMs, other.heardMs);
  const leftMs = most(one.leftMs, other.leftMs);
  return create(CensusChildSchema, {
    child: one.child,
    project: one.project,
    sinceMs: least(one.sinceMs, other.sinceMs),
    heardMs,
    leftMs: leftMs > heardMs ? leftMs : 0n,
    words: joinWords(one.words, other.words),
  });
}

/** As much of one that there is no room for as that it is there. */
function crowdOf({ project, sinceMs, heardMs, leftMs }: CensusChildRecord): CensusChildRecord {
  return create(CensusChildSchema, { child: crowd, project, sinceMs, heardMs, leftMs });
}

/** Equal for the same words; when it was heard last each node sees by itself. */
function versionOf({ sinceMs, leftMs, words }: CensusChildRecord): string {
  const said = words.map((word) => {
    const { openedMs, window, answer, expelled, saidMs } = word;
    return `${openedMs}/${window}/${answer}/${expelled}/${saidMs}`;
  });
  return [sinceMs, leftMs, ...said].join(" ");
}

function childProblem(record: CensusChildRecord, wallMs: number): string | undefined {
  const { child, words } = record;
  if (child !== crowd && !isName(child)) return "child: no name";
  if (words.length > wordsMax || (child === crowd && words.length > 0)) return "words: too many";
  const latestMs = BigInt(Math.ceil(wallMs + clockSkewMsMax));
  if ([record.sinceMs, record.heardMs, record.leftMs].some((ms) => ms > latestMs))
    return "since_ms, heard_ms, left_ms: from the future";
  return words.every(({ answer }) => answer <= censusAnswers.length)
    ? undefined
    : `words.answer: 0 to ${censusAnswers.length}`;
}

function keyOf({ project, child }: { project: string; child: string }): string {
  return `${project} ${child}`;
}
