import { tableHistoryLengthMax, tableHistoryNamesMax } from "../limits.ts";
import { bytesEqual } from "../trust/key.ts";

/** Which flags changed on the way from one position of a table to the next. */
interface TableStep {
  readonly previous: Uint8Array;
  readonly names: readonly string[];
}

/**
 * The last steps of a table, in memory only. Values are not kept: from any of these positions to
 * now, what changed is the present value of every flag touched since.
 */
export class TableHistory {
  readonly #steps: TableStep[] = [];
  #namesCount = 0;

  append(previous: Uint8Array, names: readonly string[]): void {
    this.#steps.push({ previous, names });
    this.#namesCount += names.length;
    while (this.#steps.length > tableHistoryLengthMax || this.#namesCount > tableHistoryNamesMax)
      this.#namesCount -= this.#steps.shift()?.names.length ?? 0;
  }

  /** Flags touched since a position; undefined when the position is not remembered. */
  namesSince(position: Uint8Array): Set<string> | undefined {
    const from = this.#steps.findLastIndex(({ previous }) => bytesEqual(previous, position));
    if (from < 0) return undefined;
    return new Set(this.#steps.slice(from).flatMap(({ names }) => names));
  }
}
