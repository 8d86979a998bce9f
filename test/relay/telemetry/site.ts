import type { Document } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { groupRecords, type StoredRecord } from "../../../relay/durable.ts";
import type { Write } from "../../../relay/effect.ts";
import type { DisclosureLevel } from "../../../relay/telemetry/disclosure/level.ts";
import type { DueDocument } from "../../../relay/telemetry/outbox.ts";
import { Telemetry } from "../../../relay/telemetry/telemetry.ts";
import { type TrialNews, Trials } from "../../../relay/telemetry/trial/trials.ts";
import { slotOf, Windows } from "../../../relay/telemetry/window.ts";
import { epochMs, valueOf } from "../authority.ts";
import { projectOf, type ReportInit, reportOf, settings } from "./fixture.ts";

export const upstream = "openstack";

/** One site with a project, and what its store has. */
export class Site {
  readonly project: ReturnType<typeof projectOf>;
  readonly telemetry: Telemetry;
  readonly trials: Trials;
  readonly #settings: typeof settings;
  readonly #stored: Map<string, StoredRecord>;

  constructor(
    of: Partial<typeof settings> = {},
    stored: Map<string, StoredRecord> = new Map(),
    project: ReturnType<typeof projectOf> = projectOf(),
  ) {
    this.project = project;
    this.#settings = { ...settings, ...of };
    this.#stored = stored;
    const records = groupRecords(stored.values());
    this.trials = new Trials(this.#settings, records);
    this.telemetry = new Telemetry(this.#settings, records, this.trials);
  }

  restarted(of: Partial<typeof settings> = {}): Site {
    return new Site({ ...this.#settings, ...of }, this.#stored, this.project);
  }

  windows(kind: "WEIGHTS" | "HEALTH"): Windows {
    const { siteSecret, windowMs, healthWindowMs } = this.#settings;
    const slot = slotOf({ upstream, project: "horizon", kind });
    return new Windows({
      siteSecret,
      slot,
      windowMs: kind === "WEIGHTS" ? windowMs : healthWindowMs,
    });
  }

  report(of: ReportInit, wallMs: number = epochMs): boolean {
    return this.telemetry.take(this.project, reportOf(of), { wallMs, isOwn: true });
  }

  receive(child: string, document: Document, wallMs: number = epochMs): void {
    const record = valueOf(this.telemetry.received.prepare(child, document, wallMs));
    if (record !== "REPEATED") this.telemetry.received.accept(record);
  }

  choose(level: DisclosureLevel, wallMs: number = epochMs): void {
    const choice = this.telemetry.consents.choose({ upstream, level, byCommand: true, wallMs })!;
    this.#store([choice.write]);
    choice.accept();
  }

  adopt(wallMs: number): void {
    const choice = this.telemetry.consents.adoptEnvironment(upstream, wallMs)!;
    this.#store([choice.write]);
    choice.accept();
  }

  due(wallMs: number): DueDocument[] {
    return this.telemetry.outbox.due(upstream, this.project, wallMs);
  }

  dueOf(kind: string, wallMs: number): Document[] {
    return this.due(wallMs).flatMap(({ document }) => (document.kind === kind ? document : []));
  }

  accept(all: readonly DueDocument[]): void {
    for (const due of all) {
      this.#store(due.writes);
      due.accept();
    }
  }

  /** What looks bring by then; all that was counted is written. */
  look(wallMs: number): readonly TrialNews[] {
    const news = this.trials.look(wallMs);
    const projects = new Map([[this.project.name, this.project]]);
    const due = this.trials.due({ projects, isUrgent: true, wallMs });
    this.#store(due.writes);
    due.accept();
    return news;
  }

  /** Writes what is known of crashes; whether there was anything. */
  keepCrashes(wallMs: number): boolean {
    const { writes, accept } = this.telemetry.crashes.due(wallMs);
    this.#store(writes);
    accept();
    return writes.length > 0;
  }

  #store(writes: readonly Write[]): void {
    for (const { bucket, key, value } of writes)
      if (value === undefined) this.#stored.delete(`${bucket} ${key}`);
      else this.#stored.set(`${bucket} ${key}`, { bucket, key, value });
  }
}
