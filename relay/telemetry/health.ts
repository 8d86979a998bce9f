import { create } from "@bufbuild/protobuf";
import { type Health, HealthSchema } from "../../gen/headwater/v1/telemetry_pb.ts";
import { comparePositions } from "../ledger/position.ts";
import type { TrialKind } from "./trial/trial.ts";
import { joinVerdicts, type VerdictWord, verdicts } from "./trial/verdict.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { whole } from "./weights.ts";

interface TermSeq {
  readonly term: number;
  readonly seq: number;
}

/** The verdict on one word of the vocabulary. */
export type VerdictOf = (kind: TrialKind, name: string) => VerdictWord;

/** What the trials of this site have come to, word by word. */
export function ownHealth(verdictOf: VerdictOf, vocabulary: Vocabulary, position: TermSeq): Health {
  return healthOf(verdictOf, vocabulary, { position, basisPoints: whole });
}

/** What several reporters' health comes to; arrival is at `position` or newer. */
export function joinHealth(
  all: readonly Health[],
  vocabulary: Vocabulary,
  position: TermSeq,
): Health {
  const said = {
    RELEASE: new SaidVerdicts(vocabulary.releases),
    FLAG: new SaidVerdicts(vocabulary.flags),
  };
  for (const { releases, flags } of all) {
    for (const { release, judgement } of releases) said.RELEASE.add(release, judgement);
    for (const { flag, judgement } of flags) said.FLAG.add(flag, judgement);
  }
  const joined: VerdictOf = (kind, name) => said[kind].joined(name);
  const arrived = all.map(({ arrival }) => {
    if (arrival === undefined) return 0;
    const at = { term: arrival.term ?? 0, seq: arrival.seq ?? 0 };
    return comparePositions(at, position) < 0 ? 0 : Math.min(whole, arrival.basisPoints ?? 0);
  });
  const share = arrived.reduce((total, one) => total + one, 0) / Math.max(1, all.length);
  return healthOf(joined, vocabulary, { position, basisPoints: Math.round(share) });
}

function healthOf(
  verdictOf: VerdictOf,
  { releases, flags }: Vocabulary,
  arrival: { position: TermSeq; basisPoints: number },
): Health {
  const judged = (kind: TrialKind, name: string): number => verdicts.indexOf(verdictOf(kind, name));
  const { position, basisPoints } = arrival;
  return create(HealthSchema, {
    releases: releases.map((release) => ({ release, judgement: judged("RELEASE", release) })),
    flags: flags.map((flag) => ({ flag, judgement: judged("FLAG", flag) })),
    arrival: { term: position.term, seq: position.seq, basisPoints },
  });
}

/** How many have said what of each word. */
class SaidVerdicts {
  readonly #places: ReadonlyMap<string, number>;
  readonly #counts: Uint32Array;

  constructor(words: readonly string[]) {
    this.#places = new Map(words.map((word, at) => [word, verdicts.length * at]));
    this.#counts = new Uint32Array(verdicts.length * words.length);
  }

  add(word: string, judgement: number = 0): void {
    const at = this.#places.get(word);
    if (at === undefined || judgement >= verdicts.length) return;
    this.#counts[at + judgement] = (this.#counts[at + judgement] ?? 0) + 1;
  }

  joined(word: string): VerdictWord {
    const at = this.#places.get(word) ?? 0;
    const [, OK = 0, DEGRADED = 0, BAD = 0] = this.#counts.subarray(at, at + verdicts.length);
    return joinVerdicts({ OK, DEGRADED, BAD });
  }
}
