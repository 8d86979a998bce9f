import { Counter, Histogram, type Registry } from "prom-client";
import type { Log } from "../log.ts";

/** Seconds: of one site in milliseconds, of a chain in fractions of a second, of what was away. */
const propagationBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600,
];

/** What alerts wait for. Prometheus takes a count that begins with 1 for one that has not grown. */
const awaitedEvents = [
  { event: "frame-refused", level: "warn" },
  { event: "persist-failed", level: "error" },
] as const;

/**
 * What a node logs, counted by the event's name, and how long changes were on their way. The names
 * are a closed list in the code, so the labels are bounded. It counts what the level leaves out too.
 */
export class EventCounts {
  readonly #counts = new Map<string, { level: string; count: number }>(
    awaitedEvents.map(({ event, level }) => [event, { level, count: 0 }]),
  );
  #propagation: Histogram<"project"> | undefined;

  /** A log that counts, and passes on. */
  counted(log: Log): Log {
    return {
      write: (entry) => {
        this.#count(entry);
        log.write(entry);
      },
    };
  }

  register(registry: Registry): void {
    const counts = this.#counts;
    new Counter({
      name: "headwater_events_total",
      help: "Events that were logged, by name and level",
      labelNames: ["event", "level"],
      registers: [registry],
      collect() {
        this.reset();
        for (const [event, { level, count }] of counts) this.inc({ event, level }, count);
      },
    });
    this.#propagation = new Histogram({
      name: "headwater_propagation_seconds",
      help: "From the signing of a change at its root to apps of this node",
      labelNames: ["project"],
      buckets: propagationBuckets,
      registers: [registry],
    });
  }

  #count({ event, level, fields }: Parameters<Log["write"]>[0]): void {
    const known = this.#counts.get(event);
    this.#counts.set(event, { level, count: (known?.count ?? 0) + 1 });
    if (event !== "ledger-advanced" || fields?.["first"] === true) return;
    const { project = "", ageMs = 0 } = fields ?? {};
    this.#propagation?.observe({ project: String(project) }, Number(ageMs) / 1_000);
  }
}
