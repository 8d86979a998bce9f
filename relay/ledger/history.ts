import { create } from "@bufbuild/protobuf";
import { type Position, PositionSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import { historyLengthMax } from "../limits.ts";
import { ownBytes } from "./own-bytes.ts";
import { samePosition } from "./position.ts";

/** One step of a ledger: which keys changed on the way from one position to the next. */
export interface HistoryStep {
  /** Rises by one for each step that this node has taken. */
  readonly number: number;
  readonly previous: Position;
  readonly keys: readonly string[];
}

/**
 * The last steps of a ledger. Values are not kept: from any of these positions to now, what
 * changed is the present value of every key touched since.
 */
export class History {
  readonly #steps: HistoryStep[];

  constructor(steps: readonly HistoryStep[] = []) {
    this.#steps = steps.slice(-historyLengthMax);
  }

  get length(): number {
    return this.#steps.length;
  }

  /** The step that would come next, and the numbers of those that it pushes out. */
  next(previous: Position, keys: readonly string[]): { step: HistoryStep; dropped: number[] } {
    const number = (this.#steps.at(-1)?.number ?? 0) + 1;
    const over = Math.max(0, this.#steps.length + 1 - historyLengthMax);
    const dropped = this.#steps.slice(0, over).map((step) => step.number);
    const { term, seq, digest } = previous;
    const own = create(PositionSchema, { term, seq, digest: ownBytes(digest) });
    return { step: { number, previous: own, keys }, dropped };
  }

  append(step: HistoryStep): void {
    this.#steps.push(step);
    if (this.#steps.length > historyLengthMax) this.#steps.shift();
  }

  /** Keys touched since a position; undefined when the position is not remembered. */
  keysSince(position: Position): Set<string> | undefined {
    const from = this.#steps.findLastIndex((step) => samePosition(step.previous, position));
    if (from < 0) return undefined;
    return new Set(this.#steps.slice(from).flatMap((step) => step.keys));
  }
}
