import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type SentDocument, SentDocumentSchema } from "../../gen/headwater/v1/fleet_pb.ts";
import { clockSkewMsMax } from "../cadence.ts";
import { digits } from "../durable.ts";
import type { Write } from "../effect.ts";
import { isName } from "../flag/name.ts";
import { sentSharedBytesMax, sentSharedMax } from "../limits.ts";
import { type Stamp, stampOf } from "../site/slices.ts";
import { documentProblem, isToCome } from "./document-problem.ts";

/** A site's name, or `host:port`: a host name has 253 letters at most. */
export const upstreamLengthMax = 260;

/** What a parent answered, or why it could not be asked. */
const outcomeLengthMax = 200;

interface Held {
  readonly sent: SentDocument;
  readonly stamp: Stamp;
  readonly bytes: number;
}

/**
 * The newest documents that left this site, by whichever of its nodes: each node has them in its
 * log for the operator, and this is what it compares with the others.
 */
export class SentLog {
  /** By key; the oldest first. */
  readonly #held = new Map<string, Held>();

  /** @param latest encoded, from the log, in any order */
  constructor(latest: Iterable<Uint8Array> = []) {
    for (const bytes of latest) {
      const sent = fromBinary(SentDocumentSchema, bytes);
      if (sent.outcome !== "") this.accept(sent);
    }
  }

  /**
   * What the other nodes of the site are to have too; the oldest first. What was sent while this node's
   * clock was ahead they would refuse, whenever they ask, until that time has come.
   */
  shared(wallMs: number): { sent: SentDocument; stamp: Stamp }[] {
    return [...this.#held.values()].filter(({ sent }) => !isFromFuture(sent, wallMs));
  }

  /** Whether another node's word is news, and in order. */
  isNews(sent: SentDocument, wallMs: number): boolean {
    return sentProblem(sent, wallMs) === undefined && this.#hasRoom(sent);
  }

  /** One of which it is known what became of it. Only the newest are kept here. */
  accept(sent: SentDocument): void {
    const key = sentKey(sent);
    const bytes = toBinary(SentDocumentSchema, sent).length;
    // The outcome is left out: of two that tell one thing differently neither is news.
    this.#held.set(key, { sent, stamp: stampOf(key, ""), bytes });
    const sorted = [...this.#held].sort(([one], [other]) => compareKeys(one, other));
    this.#held.clear();
    for (const [at, held] of sorted) this.#held.set(at, held);
    this.#cut();
  }

  #hasRoom(sent: SentDocument): boolean {
    const key = sentKey(sent);
    if (this.#held.has(key)) return false;
    const [oldest] = this.#held.keys();
    const isFull = this.#held.size >= sentSharedMax || this.#bytes >= sentSharedBytesMax / 2;
    return oldest === undefined || !isFull || compareKeys(oldest, key) < 0;
  }

  get #bytes(): number {
    return [...this.#held.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** What is left depends on what there is alone, and not on the order in which it came. */
  #cut(): void {
    let bytes = this.#bytes;
    for (const [key, held] of this.#held) {
      if (this.#held.size <= sentSharedMax && bytes <= sentSharedBytesMax) return;
      bytes -= held.bytes;
      this.#held.delete(key);
    }
  }
}

function sentKey({ atMs, upstream, document }: SentDocument): string {
  return `${document?.project}/${digits(Number(atMs), 15)}-${document?.kind}-${upstream}`;
}

export function sentWrite(sent: SentDocument): Write {
  return { bucket: "sent", key: sentKey(sent), value: toBinary(SentDocumentSchema, sent) };
}

/** By time, then by project. */
function compareKeys(one: string, other: string): number {
  const timed = (key: string): string => {
    const at = key.indexOf("/");
    return `${key.slice(at + 1)} ${key.slice(0, at)}`;
  };
  return timed(one) < timed(other) ? -1 : 1;
}

function sentProblem(sent: SentDocument, wallMs: number): string | undefined {
  const { document, upstream, outcome, atMs } = sent;
  if (document === undefined || !isName(document.project)) return "document: of no project";
  if (upstream === "" || upstream.length > upstreamLengthMax) return "upstream: no name";
  if (outcome === "" || outcome.length > outcomeLengthMax) return "outcome: none";
  if (Number(atMs) > wallMs + clockSkewMsMax) return "at_ms: from the future";
  return documentProblem(document, wallMs);
}

function isFromFuture({ document, atMs }: SentDocument, wallMs: number): boolean {
  if (Number(atMs) > wallMs + clockSkewMsMax) return true;
  return document !== undefined && isToCome(document, wallMs);
}
