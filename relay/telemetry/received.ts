import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ReceivedDocument, ReceivedDocumentSchema } from "../../gen/headwater/v1/store_pb.ts";
import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import { clockSkewMsMax, dayMs, secondMs } from "../cadence.ts";
import type { Records } from "../durable.ts";
import type { Write } from "../effect.ts";
import { childrenCountMax, entryKeyLengthMax, vocabularyWordsMax } from "../limits.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { isDisclosureLevel } from "./disclosure/level.ts";
import { weightLists, whole } from "./weights.ts";
import { type DocumentKind, documentKinds } from "./window.ts";

/** A child whose last document is more windows old than this no longer counts as reporting. */
const windowsOldMax = 3;

/** The latest document of each child, by project and kind. */
export class Received {
  readonly #documents = new Map<string, ReceivedDocument>();

  constructor(records: Records) {
    for (const [key, bytes] of records.get("received") ?? [])
      this.#documents.set(key, fromBinary(ReceivedDocumentSchema, bytes));
  }

  /** What to make durable, or REPEATED when one for this window is held. */
  prepare(
    child: string,
    document: Document,
    wallMs: number,
  ): Outcome<ReceivedDocument | "REPEATED"> {
    const problem = documentProblem(document, wallMs);
    if (problem !== undefined) return refused("invalid", problem);
    const held = this.#documents.get(keyOf(child, document));
    if (held?.document !== undefined && startOf(document) <= startOf(held.document))
      return done("REPEATED");
    if (held === undefined && this.#documents.size >= 2 * childrenCountMax)
      return refused("limit", "document: from too many children");
    const atMs = BigInt(Math.floor(wallMs));
    return done(create(ReceivedDocumentSchema, { child, atMs, document }));
  }

  accept(received: ReceivedDocument): void {
    if (received.document === undefined) return;
    this.#documents.set(keyOf(received.child, received.document), received);
  }

  /** The documents that count now, with how many of their own windows old each is. */
  of(asked: {
    project: string;
    kind: DocumentKind;
    wallMs: number;
    /** Those received before it are left out. */
    sinceMs: number;
  }): { child: string; document: Document; windowsOld: number }[] {
    const { project, kind, wallMs, sinceMs } = asked;
    return [...this.#documents.values()].flatMap(({ child, atMs, document }) => {
      if (document?.project !== project || document.kind !== kind) return [];
      if (Number(atMs) < sinceMs) return [];
      const age = Math.max(0, wallMs - Number(atMs));
      const windowsOld = Math.floor(age / Math.max(1, document.windowMs ?? 1));
      return windowsOld > windowsOldMax ? [] : [{ child, document, windowsOld }];
    });
  }
}

export function receivedWrite(received: ReceivedDocument): Write[] {
  if (received.document === undefined) return [];
  const key = keyOf(received.child, received.document);
  return [{ bucket: "received", key, value: toBinary(ReceivedDocumentSchema, received) }];
}

function keyOf(child: string, { project, kind }: Document): string {
  return `${project} ${kind} ${child}`;
}

/** Windows of another length have other numbers, but their starts rise all the same. */
function startOf({ window = 0n, windowMs = 0 }: Document): bigint {
  return window * BigInt(windowMs);
}

/** Everything a child can get wrong, by field. */
function documentProblem(document: Document, wallMs: number): string | undefined {
  const { kind, disclosure, windowMs = 0, window = 0n } = document;
  if (!(documentKinds as readonly string[]).includes(kind)) return "kind: WEIGHTS or HEALTH";
  if (!isDisclosureLevel(disclosure) || disclosure === "OFF") return "disclosure: not a level";
  if (windowMs < secondMs || windowMs > 7 * dayMs) return "window_ms: from a second to a week";
  if (window > BigInt(Math.ceil(wallMs / windowMs) + 1)) return "window: from the future";
  const endMs = (Number(window) + 2) * windowMs;
  if (wallMs - endMs > windowsOldMax * windowMs + clockSkewMsMax) return "window: from long ago";
  return kind === "WEIGHTS" ? weightsProblem(document) : healthProblem(document);
}

function weightsProblem({ weights }: Document): string | undefined {
  if (weights === undefined) return "weights: missing";
  for (const list of weightLists) {
    if (weights[list].length > vocabularyWordsMax + 1) return `weights.${list}: too many words`;
    const wrong = weights[list].findIndex(({ basisPoints = 0 }) => basisPoints > whole);
    if (wrong >= 0) return `weights.${list}[${wrong}].basis_points: more than ${whole}`;
    const name = nameProblem(weights[list].map((weight) => weight.name));
    if (name !== undefined) return `weights.${list}${name}`;
  }
  return undefined;
}

function healthProblem({ health }: Document): string | undefined {
  if (health === undefined) return "health: missing";
  if (health.releases.length > vocabularyWordsMax + 1) return "health.releases: too many words";
  const name = nameProblem(health.releases.map(({ release }) => release));
  if (name !== undefined) return `health.releases${name}`;
  if ((health.arrival?.basisPoints ?? 0) > whole)
    return `health.arrival.basis_points: more than ${whole}`;
  return undefined;
}

function nameProblem(names: readonly string[]): string | undefined {
  const said = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (name.length > entryKeyLengthMax) return `[${index}].name: longer than ${entryKeyLengthMax}`;
    if (said.has(name)) return `[${index}].name: said twice`;
    said.add(name);
  }
  return undefined;
}
