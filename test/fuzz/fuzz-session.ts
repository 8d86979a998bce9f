import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Random } from "../../relay/random.ts";
import { Corpus } from "./corpus.ts";
import type { InputSlot } from "./input-slot.ts";
import { mutate } from "./mutator.ts";
import { ReachedCode } from "./reached-code.ts";
import { shrink } from "./shrink.ts";
import type { Attempt, Target } from "./target.ts";

/** Something that must not happen, and an input that makes it happen. */
export interface Finding {
  readonly target: string;
  readonly what: string;
  readonly input: Uint8Array;
}

export interface SessionOutcome {
  readonly target: string;
  readonly inputsCount: number;
  readonly acceptedCount: number;
  readonly refusedCount: number;
  /** Of the inputs that were kept because they reached something new, and of all of them. */
  readonly keptCount: number;
  readonly charactersCount: number;
  readonly slowestMs: number;
  readonly heapGrowthBytes: number;
  readonly tookMs: number;
}

export interface SessionOptions {
  readonly target: Target;
  readonly inputsCount: number;
  readonly seed: number;
  /** Inputs that reach new code are kept to make others from. */
  readonly isGuided: boolean;
  /** Nothing is measured of what code is reached, which doubles the speed. */
  readonly isBlind?: boolean;
  readonly slot: InputSlot;
  onFinding(finding: Finding): void;
}

/** What a look at the reached code costs is that of so many inputs. */
const batchCount = 256;

/** An input that takes longer, twice, is a finding: it is in memory, and nothing else waits. */
const slowMsMax = 1_000;

const findingsMax = 30;

/** What a node has done before it does not do again: inputs are not repeated without end for it. */
const repeatsShareMax = 0.5;

const heapInputsMin = 1_000;

/** Tries inputs at one door, one after the other, in this thread. */
export class FuzzSession {
  readonly #of: SessionOptions;
  readonly #random: Random;
  readonly #corpus: Corpus;
  readonly #attempt: Attempt;
  readonly #found = new Set<string>();
  #acceptedCount = 0;
  #refusedCount = 0;
  #keptCount = 0;
  #repeatsCount = 0;
  #slowestMs = 0;

  constructor(of: SessionOptions) {
    this.#of = of;
    this.#random = new Random(of.seed);
    this.#corpus = new Corpus(of.target.seeds());
    this.#attempt = of.target.open();
  }

  async run(): Promise<SessionOutcome> {
    const startedMs = performance.now();
    const { target, inputsCount, isBlind = false } = this.#of;
    using reached = isBlind ? undefined : new ReachedCode();
    await this.#tryAll(this.#of.target.seeds());
    const warmCount = Math.min(inputsCount, Math.max(batchCount, inputsCount / 5));
    let heapBytes = 0;
    for (let done = 0; done < inputsCount && this.#found.size < findingsMax; ) {
      const batch = Array.from({ length: Math.min(batchCount, inputsCount - done) }, () =>
        this.#next(),
      );
      await this.#tryAll(batch, true);
      if (reached !== undefined) await this.#learn(reached, batch);
      if (done < warmCount && done + batch.length >= warmCount) heapBytes = this.#heapBytes();
      done += batch.length;
    }
    return {
      target: target.name,
      inputsCount: this.#acceptedCount + this.#refusedCount,
      acceptedCount: this.#acceptedCount,
      refusedCount: this.#refusedCount,
      keptCount: this.#keptCount,
      charactersCount: reached?.charactersCount ?? 0,
      slowestMs: this.#slowestMs,
      heapGrowthBytes: this.#heapBytes() - heapBytes,
      tookMs: performance.now() - startedMs,
    };
  }

  /** A collection of all takes as long as hundreds of inputs: a short session shows nothing. */
  #heapBytes(): number {
    return this.#of.inputsCount < heapInputsMin ? 0 : heapAfterCollection();
  }

  #next(): Uint8Array {
    const random = this.#random;
    const [input, other] = [this.#corpus.pick(random), this.#corpus.pick(random)];
    return mutate({ form: this.#of.target.form, input, other, random });
  }

  /** Which of a batch have reached something new is found by halves. */
  async #learn(reached: ReachedCode, batch: readonly Uint8Array[]): Promise<void> {
    const reach = reached.look();
    if (reach === undefined) return;
    const mayRepeat = this.#repeatsCount < this.#of.inputsCount * repeatsShareMax;
    if (this.#of.isGuided && mayRepeat) await this.#keepNew(reached, batch);
    reached.keep(reach);
  }

  async #keepNew(reached: ReachedCode, inputs: readonly Uint8Array[]): Promise<void> {
    const half = Math.ceil(inputs.length / 2);
    for (const part of [inputs.slice(0, half), inputs.slice(half)]) {
      if (part.length === 0) continue;
      reached.look();
      this.#repeatsCount += part.length;
      await this.#tryAll(part);
      const reach = reached.look();
      if (reach === undefined) continue;
      const [only] = part;
      if (part.length > 1) await this.#keepNew(reached, part);
      else if (only !== undefined) {
        reached.keep(reach);
        this.#corpus.keep(only, this.#random);
        this.#keptCount++;
      }
    }
  }

  async #tryAll(inputs: readonly Uint8Array[], counted: boolean = false): Promise<void> {
    for (const input of inputs) await this.#try(input, counted);
  }

  async #try(input: Uint8Array, counted: boolean): Promise<void> {
    const problem = await this.#problemOf(input);
    if (counted && problem.verdict === "accepted") this.#acceptedCount++;
    else if (counted) this.#refusedCount++;
    if (problem.what === undefined || this.#found.has(keyOf(problem.what))) return;
    const key = keyOf(problem.what);
    this.#found.add(key);
    const stillDoes = async (shorter: Uint8Array): Promise<boolean> =>
      keyOf((await this.#problemOf(shorter)).what ?? "") === key;
    const shrunk = await shrink(input, stillDoes);
    this.#of.onFinding({ target: this.#of.target.name, what: problem.what, input: shrunk });
  }

  async #problemOf(input: Uint8Array): Promise<{ verdict?: string; what?: string }> {
    try {
      const verdict = await this.#timed(input);
      const isSlow = verdict.ms > slowMsMax;
      return isSlow ? { what: `slow: ${Math.round(verdict.ms)} ms` } : verdict;
    } catch (thrown) {
      this.#of.slot.end();
      return { what: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) };
    }
  }

  /** A machine that does other work makes anything slow once: what is slow is tried again. */
  async #timed(input: Uint8Array): Promise<{ verdict: string; ms: number }> {
    const once = async (): Promise<{ verdict: string; ms: number }> => {
      const startedMs = performance.now();
      this.#of.slot.begin(input);
      const attempted = this.#attempt(input);
      const verdict = typeof attempted === "string" ? attempted : await attempted;
      this.#of.slot.end();
      return { verdict, ms: performance.now() - startedMs };
    };
    const first = await once();
    if (first.ms <= Math.max(5, this.#slowestMs)) return first;
    const second = await once();
    const ms = Math.min(first.ms, second.ms);
    this.#slowestMs = Math.max(this.#slowestMs, ms);
    return { verdict: first.verdict, ms };
  }
}

/** Where it was thrown, or which promise was broken, without what the input put into the words. */
function keyOf(what: string): string {
  const [kind = "", said = ""] = what.split("\n", 1)[0]?.split(": ") ?? [];
  if (kind === "Broken") return said.replaceAll(/\d+/g, "");
  return `${kind} ${/\n\s+at .*/.exec(what)?.[0] ?? ""}`;
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

function heapAfterCollection(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
