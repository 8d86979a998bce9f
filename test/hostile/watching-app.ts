import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { FlagService, type WatchResponse } from "../../gen/headwater/v1/apps_pb.ts";
import { eventually } from "../../scripts/demo/eventually.ts";

/** What an app saw that was never so. */
export interface Breach {
  readonly project: string;
  readonly node: string;
  readonly what: string;
}

/**
 * An app with a real watch stream that judges each state it is shown. Every change sets both flags
 * of a project to one number that rises by one: two numbers would be a mixture of two states, a
 * lower one than before a step back, a number that was never committed a forgery.
 */
export class WatchingApp implements Disposable {
  readonly breaches: Breach[] = [];
  readonly project: string;
  readonly node: string;
  readonly #abort = new AbortController();
  readonly #flags = new Map<string, number>();
  #value = 0;
  #statesCount = 0;

  constructor(of: {
    readonly apps: string;
    readonly node: string;
    readonly project: string;
    /** The highest number that was ever committed. */
    readonly newest: () => number;
  }) {
    this.project = of.project;
    this.node = of.node;
    void this.#watch(of.apps, of.newest);
  }

  /** The number that both flags have. */
  get value(): number {
    return this.#value;
  }

  get statesCount(): number {
    return this.#statesCount;
  }

  /** Milliseconds until it is shown a number. */
  async sees(value: number, deadlineMs: number = 30_000): Promise<number> {
    const startedMs = performance.now();
    const what = `the app at ${this.node} sees ${this.project} at ${value}, not ${this.#value}`;
    await eventually(what, () => this.#value === value, deadlineMs);
    return performance.now() - startedMs;
  }

  [Symbol.dispose](): void {
    this.#abort.abort();
  }

  async #watch(apps: string, newest: () => number): Promise<void> {
    const transport = createConnectTransport({ baseUrl: `http://${apps}`, httpVersion: "1.1" });
    const client = createClient(FlagService, transport);
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        for await (const { frame } of client.watch({ project: this.project }, { signal }))
          this.#take(frame, newest());
      } catch {
        // A node that restarts; the stream is opened again.
      }
    }
  }

  #take(frame: WatchResponse["frame"], newest: number): void {
    if (frame.case !== "table" && frame.case !== "delta") return;
    if (frame.case === "table") this.#flags.clear();
    for (const { name, basisPoints = 0 } of frame.value.flags) this.#flags.set(name, basisPoints);
    if (frame.case === "delta") for (const name of frame.value.removed) this.#flags.delete(name);
    if (this.#flags.size === 0 && this.#value === 0) return;
    this.#statesCount++;
    const [a = 0, b = 0] = [this.#flags.get("a"), this.#flags.get("b")];
    if (a !== b || this.#flags.size !== 2) this.#breach(`mixed: ${[...this.#flags].join(" ")}`);
    if (a < this.#value) this.#breach(`rolled back: ${a} after ${this.#value}`);
    if (a > newest) this.#breach(`forged: ${a}, never committed`);
    this.#value = a;
  }

  #breach(what: string): void {
    this.breaches.push({ project: this.project, node: this.node, what });
  }
}
