import { isName } from "../relay/flag/name.ts";
import type { ReceivedFlag } from "./flag-table.ts";
import {
  cacheBytesMax,
  cacheRetryMsMax,
  cacheWriteGapMs,
  instanceLengthMax,
  tableFlagsMax,
} from "./limits.ts";
import type { Files } from "./runtime.ts";
import { startTimer } from "./timer.ts";

/** What is kept for the next start. */
export interface CacheContents {
  readonly project: string;
  readonly version: string;
  readonly instance: string;
  /** Undefined when none have ever been held. */
  readonly flags: readonly ReceivedFlag[] | undefined;
  /** How far the flags have come; undefined where no node has said. */
  readonly progress?: bigint | undefined;
  /** Wall-clock milliseconds since when no node has come as far; undefined where one has. */
  readonly behindSinceMs?: number | undefined;
}

/** What a cache file works with. */
export interface CacheFileParts {
  readonly files: Files;
  readonly path: string;
  readonly contents: () => CacheContents;
  readonly failed: (thrown: unknown) => void;
  readonly succeeded: () => void;
}

/** Writes the newest contents, but not with every change of them. */
export class CacheFile {
  readonly #parts: CacheFileParts;
  #isDue = false;
  #isUrgent = false;
  #isFirst = true;
  #gapMs = cacheWriteGapMs;
  #writing: Promise<void> | undefined;
  #cancelGap: (() => void) | undefined;

  constructor(parts: CacheFileParts) {
    this.#parts = parts;
  }

  /** The contents have changed. What must not be lost with the process does not wait for the gap. */
  save({ atOnce = false } = {}): void {
    this.#isDue = true;
    this.#isUrgent ||= atOnce;
    if (this.#writing !== undefined) return;
    if (this.#isUrgent || this.#cancelGap === undefined) this.#write();
  }

  /** Resolves when what is due has been written, or could not be. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#isDue) this.#write();
    await this.#writing;
    this.#cancelGap?.();
  }

  #write(): void {
    const { files, path, contents } = this.#parts;
    this.#cancelGap?.();
    this.#isDue = false;
    this.#isUrgent = false;
    const written = files.write(path, formatCache(contents()));
    this.#writing = written.then(
      () => this.#succeeded(),
      (thrown) => this.#failed(thrown),
    );
  }

  #succeeded(): void {
    this.#parts.succeeded();
    this.#gapMs = cacheWriteGapMs;
    if (this.#isFirst || this.#isUrgent) this.#goOn();
    else this.#rest();
    this.#isFirst = false;
  }

  /** What could not be written is still due, or a kill would be lost that no other change follows. */
  #failed(thrown: unknown): void {
    this.#parts.failed(thrown);
    this.#isDue = true;
    this.#rest();
    this.#gapMs = Math.min(2 * this.#gapMs, cacheRetryMsMax);
  }

  /** At once after the first, which has no node's flags: a program may end before the gap does. */
  #goOn(): void {
    this.#writing = undefined;
    this.#cancelGap = undefined;
    if (this.#isDue) this.#write();
  }

  #rest(): void {
    this.#writing = undefined;
    this.#cancelGap = startTimer(this.#gapMs, () => this.#goOn());
  }
}

/** As one line of JSON; flags are `[name, basis points, hash, reason]`. */
export function formatCache(contents: CacheContents): string {
  const { project, version, instance, flags, behindSinceMs } = contents;
  const progress = contents.progress?.toString();
  const rows = flags?.map((flag) => [flag.name, flag.basisPoints, flag.hash, flag.reason]);
  const kept = { project, version, instance, flags: rows, progress, behindSinceMs };
  return `${JSON.stringify({ format: FORMAT, ...kept })}\n`;
}

/** Reads what a file has kept; undefined for anything that is not whole. */
export async function readCache(files: Files, path: string): Promise<CacheContents | undefined> {
  const text = await files.read(path, cacheBytesMax);
  return text === undefined ? undefined : parseCache(text);
}

const FORMAT = 1;

function parseCache(text: string): CacheContents | undefined {
  try {
    const kept: unknown = JSON.parse(text);
    if (!isKept(kept)) return undefined;
    const { progress } = kept;
    return {
      ...kept,
      flags: kept.flags?.map(flagOf),
      progress: progress === undefined ? undefined : BigInt(progress),
    };
  } catch {
    // Cut short or scribbled over: as good as no file.
    return undefined;
  }
}

interface Kept extends Omit<CacheContents, "flags" | "progress"> {
  readonly flags?: readonly Row[];
  readonly progress?: string;
}

type Row = readonly [name: string, basisPoints: number, hash: number, reason: string];

function isKept(kept: unknown): kept is Kept {
  if (typeof kept !== "object" || kept === null) return false;
  const { format, project, version, instance, flags, progress, behindSinceMs } = kept as Record<
    string,
    unknown
  >;
  return (
    format === FORMAT &&
    typeof project === "string" &&
    typeof version === "string" &&
    typeof instance === "string" &&
    instance !== "" &&
    instance.length <= instanceLengthMax &&
    (flags === undefined || isRows(flags)) &&
    (progress === undefined || isProgress(progress)) &&
    (behindSinceMs === undefined || Number.isSafeInteger(behindSinceMs))
  );
}

/** What is no uint64 could not be said to a node. */
function isProgress(text: unknown): boolean {
  return typeof text === "string" && /^\d{1,20}$/.test(text) && BigInt(text) < 2n ** 64n;
}

function isRows(flags: unknown): flags is Row[] {
  return Array.isArray(flags) && flags.length <= tableFlagsMax && flags.every(isRow);
}

function isRow(row: unknown): row is Row {
  if (!Array.isArray(row) || row.length !== 4) return false;
  const [name, basisPoints, hash, reason] = row as unknown[];
  const isText = typeof name === "string" && isName(name) && typeof reason === "string";
  return isText && Number.isInteger(basisPoints) && Number.isInteger(hash);
}

function flagOf([name, basisPoints, hash, reason]: Row): ReceivedFlag {
  return { name, basisPoints, hash, reason };
}
