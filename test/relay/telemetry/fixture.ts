import { create } from "@bufbuild/protobuf";
import { type ReportRequest, ReportRequestSchema } from "../../../gen/headwater/v1/apps_pb.ts";
import type { Weights } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { type Document, DocumentSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs, minuteMs } from "../../../relay/cadence.ts";
import { Project } from "../../../relay/layers/project.ts";
import type { TelemetrySettings } from "../../../relay/telemetry/telemetry.ts";
import { Authority, epochMs, seedOf } from "../authority.ts";
import { crashEntry, flagEntry, releaseEntries } from "../layers/entries.ts";

export const hourMs: number = 60 * minuteMs;

const authority = new Authority();

/** A project that has published these words. */
export function projectOf(
  of: {
    name?: string;
    releases?: readonly string[];
    flags?: readonly string[];
    crashes?: readonly string[];
  } = {},
): Project {
  const { releases = ["1.0", "2.0"], flags = ["alpha", "beta"], crashes = [] } = of;
  const entries = Object.assign(
    {},
    releaseEntries(...releases),
    ...flags.map((one) => flagEntry(one)),
    ...crashes.map(crashEntry),
  );
  return new Project(of.name ?? "horizon", authority.ledger(entries), []);
}

export interface ReportInit {
  readonly instance: string;
  readonly version?: string;
  readonly health?: string;
  /** Flags last answered on. */
  readonly on?: readonly string[];
  /** Flags last answered off. */
  readonly off?: readonly string[];
  readonly crashes?: readonly string[];
  readonly partial?: boolean;
}

export function reportOf(of: ReportInit): ReportRequest {
  const { instance, version = "1.0", health = "OK", on = [], off = [], partial = false } = of;
  const crashes = [...(of.crashes ?? [])];
  const flags = [
    ...on.map((name) => ({ name, active: true })),
    ...off.map((name) => ({ name, active: false })),
  ];
  return create(ReportRequestSchema, {
    project: "horizon",
    instance,
    version,
    health,
    flags,
    crashes,
    partial,
  });
}

export const settings: TelemetrySettings = {
  siteSecret: seedOf("site"),
  windowMs: dayMs,
  healthWindowMs: hourMs,
  disclosure: "OFF",
};

/** Name and basis points of each word of a list that is not 0. */
export function sharesOf(
  weights: Weights | undefined,
  list: "releases" | "degraded" | "failed" | "flags" | "crashes",
): Record<string, number> {
  const shares = (weights?.[list] ?? []).map(({ name, basisPoints = 0 }) => [name, basisPoints]);
  return Object.fromEntries(shares.filter(([, share]) => share !== 0));
}

/** A child's document about the window before `wallMs`. */
export function weightsDocument(
  releases: Readonly<Record<string, number>>,
  of: {
    window?: number;
    windowMs?: number;
    disclosure?: string;
    counts?: Readonly<Record<string, number>>;
  } = {},
): Document {
  const { windowMs = dayMs, disclosure = "ROUNDED", counts = {} } = of;
  const { window = Math.floor(epochMs / windowMs) } = of;
  return create(DocumentSchema, {
    project: "horizon",
    kind: "WEIGHTS",
    disclosure,
    window: BigInt(window),
    windowMs,
    weights: {
      releases: Object.entries(releases).map(([name, basisPoints]) => ({
        name,
        basisPoints,
        ...(name in counts && { count: counts[name] ?? 0 }),
      })),
    },
  });
}

export function healthDocument(
  judgements: Readonly<Record<string, number>>,
  of: {
    window?: number;
    arrived?: number;
    seq?: number;
    flags?: Readonly<Record<string, number>>;
  } = {},
): Document {
  const { window = Math.floor(epochMs / hourMs), arrived = 10_000, seq = 1, flags = {} } = of;
  return create(DocumentSchema, {
    project: "horizon",
    kind: "HEALTH",
    disclosure: "ROUNDED",
    window: BigInt(window),
    windowMs: hourMs,
    health: {
      releases: Object.entries(judgements).map(([release, judgement]) => ({ release, judgement })),
      arrival: { term: 1, seq, basisPoints: arrived },
      flags: Object.entries(flags).map(([flag, judgement]) => ({ flag, judgement })),
    },
  });
}
