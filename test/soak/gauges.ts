import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { atExit } from "../../scripts/demo/at-exit.ts";

/** What a process holds, after a collection. */
export interface Reading {
  /** Of JavaScript's own heap; of what its objects hold outside; of all that is in memory. */
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly residentBytes: number;
  /** Undefined on systems that do not say. */
  readonly descriptorsCount: number | undefined;
  /** Objects of the class, whether they run or not. */
  readonly timersCount: number;
}

/** What a process is to lose each second, to see whether it is noticed. */
export interface Leak {
  readonly heapBytes: number;
  readonly timersCount: number;
  readonly descriptorsCount: number;
}

export const directoryVariable = "GAUGE_DIRECTORY";
export const leakVariable = "GAUGE_LEAK";

const readMsMax = 60_000;

/** Where processes that are started with its environment say what they hold. */
export class Gauges implements Disposable {
  readonly #directory: string = mkdtempSync(join(tmpdir(), "headwater-gauges-"));
  readonly #forget: () => void = atExit(() => this.#remove());

  /** For any program that runs on Node. */
  env(leak?: Leak): Readonly<Record<string, string>> {
    const gauge = fileURLToPath(new URL("gauge.ts", import.meta.url));
    return {
      NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import ${gauge}`,
      [directoryVariable]: this.#directory,
      ...(leak !== undefined && { [leakVariable]: JSON.stringify(leak) }),
    };
  }

  /** @throws when the process does not answer */
  async read(pid: number): Promise<Reading> {
    const socket = connect(join(this.#directory, String(pid)));
    socket.setTimeout(readMsMax, () => socket.destroy(new Error(`${pid} says nothing`)));
    return JSON.parse(await text(socket)) as Reading;
  }

  [Symbol.dispose](): void {
    this.#remove();
    this.#forget();
  }

  #remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
