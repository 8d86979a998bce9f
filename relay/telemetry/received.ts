import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ReceivedDocument, ReceivedDocumentSchema } from "../../gen/headwater/v1/store_pb.ts";
import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import { clockSkewMsMax } from "../cadence.ts";
import type { Records } from "../durable.ts";
import type { Write } from "../effect.ts";
import { isName } from "../flag/name.ts";
import { childrenCountMax, receivedHeapBytesMax, receivedPerProjectMax } from "../limits.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import { type Stamp, stampOf } from "../site/slices.ts";
import { documentProblem, isToCome } from "./document-problem.ts";
import { FairRoom } from "./fair-room.ts";
import { weightLists } from "./weights.ts";
import type { DocumentKind } from "./window.ts";

/** A child whose last document is more windows old than this no longer counts as reporting. */
const windowsOldMax = 3;

/**
 * What V8 keeps for each word besides what its encoding takes: an object of three fields, its place in
 * a list, the head of its name; and for each document with its places in maps. Measured.
 */
const wordHeapBytes = 112;
const documentHeapBytes = 1024;

/** A document that may be taken, and what has to go for it. */
export interface Prepared {
  readonly received: ReceivedDocument;
  readonly document: Document;
  readonly bytes: Uint8Array;
  readonly dropped: readonly string[];
}

/** The latest document of each child, by project and kind. */
export class Received {
  /** By project, then key: what is asked for is always of one of them. */
  readonly #projects = new Map<string, Map<string, ReceivedDocument>>();
  readonly #room: FairRoom;
  readonly #revokedMs: (child: string) => number | undefined;
  readonly #stamps = new WeakMap<ReceivedDocument, Stamp>();

  /**
   * @param of.heapBytesMax what documents may take, if it is less than the bound of the limits
   * @param of.revokedMs until when what a child has said does not count; it is revoked
   */
  constructor(
    records: Records,
    of: {
      heapBytesMax?: number | undefined;
      revokedMs?: ((child: string) => number | undefined) | undefined;
    } = {},
  ) {
    const { heapBytesMax = receivedHeapBytesMax, revokedMs = () => undefined } = of;
    this.#revokedMs = revokedMs;
    this.#room = new FairRoom(Math.min(heapBytesMax, receivedHeapBytesMax));
    for (const [key, bytes] of records.get("received") ?? []) this.#restore(key, bytes);
  }

  /** An older version, or a node with more memory, may have stored more than there is room for here. */
  #restore(key: string, bytes: Uint8Array): void {
    const received = fromBinary(ReceivedDocumentSchema, bytes, { readUnknownFields: false });
    const heapBytes = heapBytesOf(received, bytes.length);
    const dropped = this.#room.makeRoom({ owner: received.child, key, bytes: heapBytes });
    if (dropped === undefined) return;
    for (const one of dropped) this.#drop(one);
    this.#put(key, received, bytes.length);
  }

  /**
   * What to make durable, or REPEATED when one for this window is held.
   * @param receivedMs when it came, at whichever node of the site
   */
  prepare(
    child: string,
    document: Document,
    wallMs: number,
    receivedMs: number = wallMs,
  ): Outcome<Prepared | "REPEATED"> {
    const problem = documentProblem(document, wallMs);
    if (problem !== undefined) return refused("invalid", problem);
    if (isFromLongAgo(document, wallMs)) return refused("invalid", "window: from long ago");
    const key = keyOf(child, document);
    const held = this.#documentsOf(document.project).get(key);
    if (held?.document !== undefined && isRepeated(document, held.document, wallMs))
      return done("REPEATED");
    const outdated = held === undefined ? this.#outdatedFor(document.project, wallMs) : [];
    if (outdated === undefined)
      return refused("limit", `document: from more children than ${childrenCountMax}`);
    const atMs = BigInt(Math.floor(receivedMs));
    const received = create(ReceivedDocumentSchema, { child, atMs, document });
    const bytes = toBinary(ReceivedDocumentSchema, received);
    const heapBytes = heapBytesOf(received, bytes.length);
    const dropped = this.#room.makeRoom({ owner: child, key, bytes: heapBytes });
    if (dropped === undefined)
      return refused("limit", "document: this child has its share of what is kept here already");
    return done({ received, document, bytes, dropped: [...outdated, ...dropped] });
  }

  accept({ received, document, bytes, dropped }: Prepared): void {
    for (const key of dropped) this.#drop(key);
    this.#put(keyOf(received.child, document), received, bytes.length);
  }

  /** What the other nodes of the site are to hold too: that which still counts. */
  shared(wallMs: number): { received: ReceivedDocument; stamp: Stamp }[] {
    const all = [...this.#projects.values()].flatMap((documents) => [...documents]);
    return all.flatMap(([key, received]) => {
      if (windowsOldOf(received, wallMs) > windowsOldMax) return [];
      let stamp = this.#stamps.get(received);
      if (stamp === undefined) {
        stamp = stampOf(
          key,
          `${received.document === undefined ? "" : startOf(received.document)}`,
        );
        this.#stamps.set(received, stamp);
      }
      return [{ received, stamp }];
    });
  }

  /** What another node of the site has received, as far as it is news. */
  heard(received: readonly ReceivedDocument[], wallMs: number): Prepared[] {
    const newCounts = new Map<string, number>();
    return received.flatMap(({ child, atMs, document }) => {
      const isTimely = Number(atMs) <= wallMs + clockSkewMsMax;
      if (document === undefined || !isName(child) || !isTimely) return [];
      const prepared = this.prepare(child, document, wallMs, Math.min(Number(atMs), wallMs));
      if (!prepared.ok || prepared.value === "REPEATED") return [];
      const { project } = document;
      const held = this.#documentsOf(project);
      if (held.has(keyOf(child, document))) return prepared.value;
      const newCount = newCounts.get(project) ?? 0;
      newCounts.set(project, newCount + 1);
      const count = held.size + newCount;
      return newCount === 0 || count < receivedPerProjectMax ? prepared.value : [];
    });
  }

  /** What goes for one more of a project: nothing, one that counts no more, or undefined. */
  #outdatedFor(project: string, wallMs: number): string[] | undefined {
    const held = this.#documentsOf(project);
    if (held.size < receivedPerProjectMax) return [];
    let oldest: readonly [string, ReceivedDocument] | undefined;
    for (const one of held) if (one[1].atMs < (oldest?.[1].atMs ?? Infinity)) oldest = one;
    const [key = "", received] = oldest ?? [];
    return windowsOldOf(received, wallMs) > windowsOldMax ? [key] : undefined;
  }

  #put(key: string, received: ReceivedDocument, encodedBytes: number): void {
    const project = projectOf(key);
    this.#projects.set(project, this.#documentsOf(project).set(key, received));
    const heapBytes = heapBytesOf(received, encodedBytes);
    this.#room.put({ owner: received.child, key, bytes: heapBytes });
  }

  #drop(key: string): void {
    const documents = this.#documentsOf(projectOf(key));
    const received = documents.get(key);
    if (received === undefined) return;
    documents.delete(key);
    this.#room.drop(received.child, key);
  }

  #documentsOf(project: string): Map<string, ReceivedDocument> {
    return this.#projects.get(project) ?? new Map<string, ReceivedDocument>();
  }

  /** The documents that count now, with how many of their own windows old each is. */
  of(asked: {
    project: string;
    kind: DocumentKind;
    wallMs: number;
    /** Those received before it are left out. */
    sinceMs: number;
    /** The upstream that is told of them, if any: what it has said itself, as a child, is left out. */
    to?: string | undefined;
  }): { child: string; document: Document; atMs: number; windowsOld: number }[] {
    const { project, kind, wallMs, sinceMs, to } = asked;
    return [...this.#documentsOf(project).values()].flatMap((received) => {
      const { child, document } = received;
      if (document?.kind !== kind || child === to) return [];
      const atMs = Number(received.atMs);
      if (atMs < sinceMs || atMs <= (this.#revokedMs(child) ?? -1)) return [];
      const windowsOld = windowsOldOf(received, wallMs);
      return windowsOld > windowsOldMax ? [] : [{ child, document, atMs, windowsOld }];
    });
  }
}

export function receivedWrite({ received, document, bytes, dropped }: Prepared): Write[] {
  const key = keyOf(received.child, document);
  return [
    ...dropped.map((one): Write => ({ bucket: "received", key: one, value: undefined })),
    { bucket: "received", key, value: bytes },
  ];
}

function windowsOldOf(
  received: Pick<ReceivedDocument, "atMs" | "document"> | undefined,
  wallMs: number,
): number {
  // One that is to come was received while this clock was ahead.
  const ageMs = Math.abs(wallMs - Number(received?.atMs ?? 0n));
  return Math.floor(ageMs / Math.max(1, received?.document?.windowMs ?? 1));
}

/**
 * A word of seven bytes takes fifteen times as much in memory, one with a name of twenty letters less
 * than four times; an answer to a census takes as much as a word.
 */
function heapBytesOf({ document }: ReceivedDocument, encodedBytes: number): number {
  const { weights, health, census = [] } = document ?? {};
  const lists = [
    ...weightLists.map((list) => weights?.[list] ?? []),
    health?.releases ?? [],
    health?.flags ?? [],
    census,
  ];
  const wordsCount = lists.reduce((sum, { length }) => sum + length, 0);
  return documentHeapBytes + wordHeapBytes * wordsCount + encodedBytes;
}

function keyOf(child: string, { project, kind }: Document): string {
  return `${project} ${kind} ${child}`;
}

function projectOf(key: string): string {
  return key.slice(0, key.indexOf(" "));
}

/** Windows of another length have other numbers, but their starts rise all the same. */
function startOf({ window = 0n, windowMs = 0 }: Document): bigint {
  return window * BigInt(windowMs);
}

function isRepeated(document: Document, held: Document, wallMs: number): boolean {
  return !isToCome(held, wallMs) && startOf(document) <= startOf(held);
}

function isFromLongAgo({ windowMs = 0, window = 0n }: Document, wallMs: number): boolean {
  const endMs = (Number(window) + 2) * windowMs;
  return wallMs - endMs > windowsOldMax * windowMs + clockSkewMsMax;
}
