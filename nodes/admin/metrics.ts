import { Counter, collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { LedgerStatus, ProjectStatus } from "../../gen/headwater/v1/nodes_pb.ts";
import { keyIdOf } from "../../relay/trust/key.ts";
import type { NodeAccess } from "../access.ts";
import type { Count, LabelledCounter } from "../metric.ts";
import type { EventCounts } from "./event-counts.ts";

export interface MetricsOptions {
  readonly access: NodeAccess;
  readonly software: string;
  /** Wall clock, milliseconds since 1970. */
  readonly startedMs: number;
  readonly counts: readonly Count[];
  readonly labelled?: readonly LabelledCounter[] | undefined;
  readonly events?: EventCounts | undefined;
}

const upstreamStates = ["CONNECTED", "CONNECTING", "WAITING"];

const perProject = ["project"] as const;
const perLedger = ["project", "authority"] as const;

/**
 * The node in Prometheus' terms. Labels are projects, authorities and states of closed lists, all
 * bounded; how many instances a site has is no metric.
 */
export class Metrics {
  readonly contentType: string;
  readonly #options: MetricsOptions;
  readonly #registry = new Registry();
  readonly #info = this.#gauge("info", "This node; always 1", ["node", "site", "software"]);
  readonly #started = this.#gauge("started_timestamp_seconds", "When the node started");
  readonly #freshness = this.#gauge("project_freshness", "1 for the freshness that it has", [
    "project",
    "freshness",
  ]);
  readonly #flags = this.#gauge("project_flags", "Flags of the project", perProject);
  readonly #term = this.#gauge("ledger_term", "Term of the ledger's position", perLedger);
  readonly #seq = this.#gauge("ledger_seq", "Sequence of the ledger's position", perLedger);
  readonly #beat = this.#gauge(
    "ledger_beat_timestamp_seconds",
    "When the ledger's writer last said that it is the newest",
    perLedger,
  );
  readonly #misunderstood = this.#gauge(
    "ledger_misunderstood",
    "Entries that are not understood and count as off",
    perLedger,
  );
  readonly #children = this.#gauge("children", "Child nodes that are connected");
  readonly #behind = this.#gauge("children_behind", "Connected children that lack the newest");
  readonly #upstreams = this.#gauge("upstreams", "Upstreams by the state of their link", ["state"]);
  readonly #peers = this.#gauge("fanout_peers", "Other nodes of the site that were heard");
  readonly #enrolled = this.#gauge("census_enrolled", "1 where this site takes part", perProject);
  readonly #questions = this.#gauge("census_questions", "Questions by their state", [
    "project",
    "state",
  ]);
  readonly #censusAnswers = this.#gauge(
    "census_answers",
    "Questions by the answer for their last window",
    ["project", "answer"],
  );
  readonly #leftOut = this.#gauge(
    "census_left_out",
    "Questions whose last answer leaves somebody out who was silent",
    perProject,
  );
  readonly #problems = this.#gauge("problems", "What an operator should look at");

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.contentType = this.#registry.contentType;
    for (const count of options.counts) this.#register(count);
    for (const counter of options.labelled ?? []) this.#registerLabelled(counter);
    options.events?.register(this.#registry);
    // The process itself: its heap, its event loop, its files.
    collectDefaultMetrics({ register: this.#registry });
  }

  /** The exposition format, version 0.0.4. */
  async text(): Promise<string> {
    const { access, software, startedMs } = this.#options;
    const status = access.reads.status(access.now());
    this.#forget();
    this.#info.set({ node: status.node, site: status.site, software }, 1);
    this.#started.set(startedMs / 1_000);
    for (const project of status.projects) {
      this.#setProject(project);
      this.#setCensuses(project.project);
    }
    this.#children.set(status.children.length);
    const behind = status.children.filter(({ positions }) => positions.some((one) => !one.newest));
    this.#behind.set(behind.length);
    for (const state of upstreamStates) this.#upstreams.set({ state }, 0);
    for (const { state } of status.upstreams) this.#upstreams.inc({ state });
    this.#peers.set(status.fanout?.peers.length ?? 0);
    this.#problems.set(status.problems.length);
    return this.#registry.metrics();
  }

  #setProject({ project, freshness, flagsCount, layers }: ProjectStatus): void {
    this.#freshness.set({ project, freshness }, 1);
    this.#flags.set({ project }, flagsCount);
    for (const layer of layers) this.#setLedger(project, layer);
  }

  /** Nothing where telemetry is off. */
  #setCensuses(project: string): void {
    const { access } = this.#options;
    const listed = access.reads.censuses(project, access.now().wallMs);
    if (!listed.ok) return;
    const { censuses, enrolled } = listed.value;
    this.#enrolled.set({ project }, enrolled ? 1 : 0);
    this.#leftOut.set({ project }, censuses.filter(({ results: [last] }) => last?.expelled).length);
    for (const { state, results } of censuses) {
      this.#questions.inc({ project, state });
      if (results[0] !== undefined) this.#censusAnswers.inc({ project, answer: results[0].answer });
    }
  }

  #setLedger(project: string, { ledger, position, ...status }: LedgerStatus): void {
    const labels = { project, authority: keyIdOf(ledger?.authority ?? new Uint8Array(0)) };
    this.#misunderstood.set(labels, status.misunderstood.length);
    if (position === undefined) return;
    this.#term.set(labels, position.term);
    this.#seq.set(labels, position.seq);
    this.#beat.set(labels, Number(status.beatIssuedMs) / 1_000);
  }

  /** What is gone must not be shown with its last value. */
  #forget(): void {
    for (const gauge of [
      this.#info,
      this.#freshness,
      this.#flags,
      this.#term,
      this.#seq,
      this.#beat,
      this.#misunderstood,
      this.#upstreams,
      this.#enrolled,
      this.#questions,
      this.#censusAnswers,
      this.#leftOut,
    ])
      gauge.reset();
  }

  #gauge<L extends string = never>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
  ): Gauge<L> {
    return new Gauge({ name: `headwater_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #registerLabelled({ name, help, label, read }: LabelledCounter): void {
    new Counter({
      name: `headwater_${name}`,
      help,
      labelNames: [label],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [value, count] of read()) this.inc({ [label]: value }, count);
      },
    });
  }

  #register({ name, help, kind, read }: Count): void {
    const of = { name: `headwater_${name}`, help, registers: [this.#registry] };
    if (kind === "gauge") {
      new Gauge({
        ...of,
        collect() {
          this.set(read());
        },
      });
      return;
    }
    new Counter({
      ...of,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }
}
