import type { ReportRequest } from "../../gen/headwater/v1/apps_pb.ts";
import { reportIntervalMs, secondMs } from "../cadence.ts";
import type { Records } from "../durable.ts";
import type { Project } from "../layers/project.ts";
import { instancesCountMax } from "../limits.ts";
import { deriveSecret, drawFraction } from "../trust/key.ts";
import { censusSlots } from "./census/census-slots.ts";
import { Censuses } from "./census/censuses.ts";
import { Consents } from "./consents.ts";
import { Crashes } from "./crashes.ts";
import type { DisclosureLevel } from "./disclosure/level.ts";
import { Fleet, type FleetPart } from "./fleet.ts";
import { FleetSamples } from "./fleet-samples.ts";
import { Intake } from "./intake/intake.ts";
import { Outbox } from "./outbox.ts";
import { Received } from "./received.ts";
import { Resubmissions } from "./resubmissions.ts";
import type { Trials } from "./trial/trials.ts";

export interface TelemetrySettings {
  /** The node's name within its site. */
  readonly name?: string | undefined;
  readonly siteSecret: Uint8Array;
  readonly windowMs: number;
  readonly healthWindowMs: number;
  /** Shorter windows of a census are neither asked nor answered here; a month by default. */
  readonly censusWindowMsMin?: number | undefined;
  readonly receivedHeapBytesMax?: number | undefined;
  /** Until when documents of a child do not count, where it was revoked. */
  readonly revokedMs?: ((child: string) => number | undefined) | undefined;
  /** What the environment says, for upstreams without a choice made at a command. */
  readonly disclosure: DisclosureLevel;
}

/** What reports and documents come to, and what of it may leave. */
export class Telemetry {
  readonly received: Received;
  readonly consents: Consents;
  readonly outbox: Outbox;
  readonly resubmissions: Resubmissions = new Resubmissions();
  readonly samples: FleetSamples;
  readonly crashes: Crashes;
  readonly censuses: Censuses;
  readonly #settings: TelemetrySettings;
  readonly #trials: Trials;
  readonly #intakes = new Map<string, Intake>();

  /** @param sentLatest the newest documents that were sent, encoded */
  constructor(
    settings: TelemetrySettings,
    records: Records,
    trials: Trials,
    sentLatest: Iterable<Uint8Array> = [],
  ) {
    this.#settings = settings;
    this.#trials = trials;
    this.received = new Received(records, {
      heapBytesMax: settings.receivedHeapBytesMax,
      revokedMs: settings.revokedMs,
    });
    this.crashes = new Crashes(settings.siteSecret, records);
    this.censuses = new Censuses(settings, records);
    this.consents = new Consents(settings.disclosure, records);
    this.samples = new FleetSamples(settings.healthWindowMs, (project, wallMs) =>
      this.fleet(project, wallMs),
    );
    this.outbox = new Outbox(
      {
        ...settings,
        consents: this.consents,
        fleet: (project, wallMs, of) => this.fleet(project, wallMs, of),
        census: (project, wallMs, sinceMs) =>
          censusSlots(this.censuses, project, { wallMs, sinceMs }),
      },
      records,
      sentLatest,
    );
  }

  /** Reports are asked for at least twice a window, so that short windows see something. */
  get reportEveryMs(): number {
    const shortest = Math.min(this.#settings.windowMs, this.#settings.healthWindowMs);
    const censusMs = this.censuses.reportEveryMs;
    return Math.min(reportIntervalMs, censusMs, Math.max(secondMs, Math.floor(shortest / 2)));
  }

  intake(project: string): Intake {
    const held = this.#intakes.get(project);
    if (held !== undefined) return held;
    const purpose = `panel of ${project}`;
    const secret = deriveSecret({ secret: this.#settings.siteSecret, purpose });
    const intake = new Intake((instance) => drawFraction(secret, instance));
    this.#intakes.set(project, intake);
    return intake;
  }

  /**
   * False when there is no such project, or no room for one more instance.
   * @param of.id what an instance is judged once by, whatever name it reports under
   * @param of.isOwn false where another node of the site has passed it on
   */
  take(
    project: Project | undefined,
    report: ReportRequest,
    of: { wallMs: number; isOwn: boolean; id?: string },
  ): boolean {
    const { wallMs, isOwn, id = report.instance } = of;
    if (project === undefined) return false;
    const intake = this.intake(project.name);
    if (!intake.holds(report.instance) && this.#instancesCount >= instancesCountMax) {
      this.censuses.overhear(project.name, wallMs);
      return false;
    }
    this.crashes.take(project, report, wallMs);
    // It knows better than who has only overheard it, of its health for one.
    if (report.partial && intake.isTold(report.instance)) return true;
    // What an application says of a library goes by another name, and does not say what was used.
    this.censuses.hear(project, report, { wallMs, isOwn, knowsUse: id === report.instance });
    intake.take(report, {
      wallMs,
      isListed: (flag) => project.own.flags.has(flag),
      releaseOf: (version) => project.buildOf(version, wallMs).release,
      hasCrashed: this.crashes.hasAny(project.name, report.instance),
    });
    this.#trials.take(project, report, wallMs, id);
    return true;
  }

  /** Forgets instances that were silent for two intervals. */
  expire(wallMs: number): void {
    for (const intake of this.#intakes.values()) intake.expire(wallMs, this.reportEveryMs);
  }

  get #instancesCount(): number {
    return [...this.#intakes.values()].reduce((sum, { instancesCount }) => sum + instancesCount, 0);
  }

  /** What is known of a project: all of it, or the part that is asked for. */
  fleet(project: Project, wallMs: number, of: FleetPart = {}): Fleet {
    const { sinceMs = 0, to, flags } = of;
    const intake = this.intake(project.name);
    intake.expire(wallMs, this.reportEveryMs);
    return new Fleet({
      sinceMs,
      to,
      flags,
      project,
      tally: intake.tally(sinceMs),
      panel: () => intake.panel(sinceMs),
      verdictOf: (kind, name) =>
        this.#trials.verdict({ project: project.name, kind, name, sinceMs }),
      isWatched: (kind, name) =>
        this.#trials.isWatched({ project: project.name, kind, name, sinceMs }),
      crashesOf: (instance) => this.crashes.of(project.name, instance, sinceMs),
      received: this.received,
      wallMs,
    });
  }
}
