import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type CensusChild as CensusChildRecord,
  CensusChildSchema,
  type CensusWord,
  CensusWordSchema,
} from "../../gen/headwater/v1/store_pb.ts";
import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import type { Records } from "../durable.ts";
import type { Write } from "../effect.ts";
import { receivedPerProjectMax } from "../limits.ts";
import { type CensusAnswer, type CensusChild, censusAnswers } from "./census.ts";

/** The window of a slot whose question has none that is over. */
export const noWindow = 2 ** 32 - 1;

/** Words of one question that are kept of a child. */
const wordsKept = 4;

/** What a document changes: to be made durable, then accepted. */
export interface HeardChild {
  readonly writes: readonly Write[];
  readonly accept: () => void;
}

/** What children that take part have said, by project; what each said last of a window counts. */
export class CensusChildren {
  readonly #records = new Map<string, CensusChildRecord>();
  /** Projects of which more children take part than there is room for. */
  readonly #crowded = new Set<string>();

  constructor(records: Records) {
    for (const [key, bytes] of records.get("census-child") ?? [])
      this.#records.set(key, fromBinary(CensusChildSchema, bytes));
  }

  /** A document of weights has come; children of older versions have no census in it. */
  hear(child: string, document: Document, wallMs: number): HeardChild {
    const { project } = document;
    const key = `${project} ${child}`;
    const held = this.#records.get(key);
    const takesPart = document.census.some(({ answer = 0 }) => answer > 0);
    if (document.kind !== "WEIGHTS" || (held === undefined && !takesPart)) return nothing;
    if (held === undefined && this.#of(project).length >= receivedPerProjectMax) {
      this.#crowded.add(project);
      return nothing;
    }
    const now = BigInt(Math.floor(wallMs));
    const left = held?.leftMs || now;
    const record = create(CensusChildSchema, {
      child,
      project,
      sinceMs: held?.sinceMs ?? now,
      heardMs: takesPart ? now : (held?.heardMs ?? now),
      leftMs: takesPart ? 0n : left,
      words: wordsWith(held?.words ?? [], document),
    });
    const value = toBinary(CensusChildSchema, record);
    return {
      writes: [{ bucket: "census-child", key, value }],
      accept: () => this.#records.set(key, record),
    };
  }

  isCrowded(project: string): boolean {
    return this.#crowded.has(project);
  }

  /** Of those who took part at any time during a window, what they have said of it. */
  said(of: {
    project: string;
    openedMs: number;
    windowMs: number;
    window: number;
  }): (CensusChild & {
    readonly isExpelled: boolean;
  })[] {
    const startMs = of.openedMs + of.window * of.windowMs;
    return this.#of(of.project).flatMap(({ sinceMs, heardMs, leftMs, words }) => {
      if (Number(sinceMs) > startMs + of.windowMs) return [];
      // Nodes of one site that were not all told to take part say so by turns.
      if (leftMs !== 0n && Number(leftMs) + of.windowMs < startMs) return [];
      const word = words.find(
        ({ openedMs, window }) => Number(openedMs) === of.openedMs && window === of.window,
      );
      const answer = word === undefined ? "UNKNOWN" : answerOf(word.answer);
      const isExpelled = word?.expelled === true;
      const window = word === undefined ? -1 : of.window;
      return [{ window, answer, heardMs: Number(heardMs), isExpelled }];
    });
  }

  #of(project: string): CensusChildRecord[] {
    return [...this.#records.values()].filter((one) => one.project === project);
  }
}

const nothing: HeardChild = { writes: [], accept: () => {} };

/** As a slot has it: 0 is for whoever does not take part. */
export function slotAnswer(answer: CensusAnswer): number {
  return censusAnswers.indexOf(answer) + 1;
}

/** What is not understood is not known. */
function answerOf(slot: number): CensusAnswer {
  return censusAnswers[slot - 1] ?? "UNKNOWN";
}

/** `USED` stays; else the last word counts: a hop that still waits for others says `UNKNOWN`. */
function wordsWith(held: readonly CensusWord[], { census }: Document): CensusWord[] {
  const fresh = census.flatMap((slot) => {
    const { openedMs = 0n, window = noWindow, answer = 0, expelled = 0 } = slot;
    if (openedMs === 0n || window === noWindow || answer === 0) return [];
    const before = held.find((one) => one.openedMs === openedMs && one.window === window);
    if (before !== undefined && answerOf(before.answer) === "USED") return [before];
    return [create(CensusWordSchema, { openedMs, window, answer, expelled: expelled > 0 })];
  });
  const isSaid = (one: CensusWord): boolean =>
    fresh.some(({ openedMs, window }) => openedMs === one.openedMs && window === one.window);
  const kept = held.filter((one) => {
    const newest = fresh.find(({ openedMs }) => openedMs === one.openedMs);
    return !isSaid(one) && (newest === undefined || one.window + wordsKept > newest.window);
  });
  return [...kept, ...fresh].slice(-wordsKept * 24);
}
