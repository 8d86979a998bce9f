import { type Profiler, Session } from "node:inspector";
import { pathToFileURL } from "node:url";

const checkout = pathToFileURL(`${import.meta.dirname}/../../`).href;

/** What is ours and meant to be reached: the core and the edges. */
const ownPrefixes = ["relay/", "nodes/"].map((folder) => checkout + folder);

/** For each file, a byte for each character of its source: whether it was run. */
type Reach = Map<string, Uint8Array>;

/**
 * Which of our code this thread has run, from V8's own block coverage. It asks for no build and no
 * native addon, and takes a few milliseconds each time it is looked at.
 */
export class ReachedCode implements Disposable {
  readonly #session = new Session();
  readonly #reached: Reach = new Map();

  constructor() {
    this.#session.connect();
    this.#session.post("Profiler.enable");
    // With counts, each look tells what was run since the one before.
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** Characters of source that were run and kept so far. */
  get charactersCount(): number {
    let count = 0;
    for (const reach of this.#reached.values()) for (const one of reach) count += one;
    return count;
  }

  /** What was run since the last look, if any of it is new. */
  look(): Reach | undefined {
    const now = this.#take();
    for (const [url, reach] of now) {
      const known = this.#reached.get(url);
      if (reach.some((one, at) => one > (known?.[at] ?? 0))) return now;
    }
    return undefined;
  }

  keep(reach: Reach): void {
    for (const [url, now] of reach) {
      const known = this.#reached.get(url);
      if (known === undefined || known.length < now.length) {
        known?.forEach((one, at) => (now[at] ||= one));
        this.#reached.set(url, now);
      } else now.forEach((one, at) => (known[at] ||= one));
    }
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }

  #take(): Reach {
    let scripts: Profiler.ScriptCoverage[] = [];
    this.#session.post("Profiler.takePreciseCoverage", (error, { result }) => {
      if (error !== null) throw error;
      scripts = result;
    });
    const own = scripts.filter(({ url }) => ownPrefixes.some((prefix) => url.startsWith(prefix)));
    return new Map(own.map(({ url, functions }) => [url, reachOf(functions)]));
  }
}

/** Ranges come from the outermost to the innermost, of functions too: the inner one counts. */
function reachOf(functions: readonly Profiler.FunctionCoverage[]): Uint8Array {
  const ranges = functions.flatMap((one) => one.ranges);
  const reach = new Uint8Array(Math.max(0, ...ranges.map(({ endOffset }) => endOffset)));
  for (const { startOffset, endOffset, count } of ranges)
    reach.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return reach;
}
