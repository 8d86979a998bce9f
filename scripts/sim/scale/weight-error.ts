import { create } from "@bufbuild/protobuf";
import { type ReportRequest, ReportRequestSchema } from "../../../gen/headwater/v1/apps_pb.ts";
import type { Weights } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { Random } from "../../../relay/random.ts";
import { rounded } from "../../../relay/telemetry/disclosure/rounded.ts";
import { sticky } from "../../../relay/telemetry/disclosure/sticky.ts";
import { tallyOf } from "../../../relay/telemetry/intake/tally.ts";
import type { Vocabulary } from "../../../relay/telemetry/vocabulary.ts";
import { meanOf, weigh } from "../../../relay/telemetry/weights.ts";
import { deriveSecret } from "../../../relay/trust/key.ts";
import { seedOf } from "../../../test/sim/mesh.ts";

/** How instances are spread over releases: one that leads, some in use, a tail. */
const shares = [0.46, 0.27, 0.12, 0.08, 0.04, 0.02, 0.009, 0.001] as const;

/** What sites show at least of what is there at all, in basis points. */
const leastShown = 500;

/** How far off a root is, in basis points, against the mean of what sites really are. */
export interface WeightError {
  readonly instances: number;
  readonly meanBasisPoints: number;
  readonly worstBasisPoints: number;
  /** Time of this machine that all sites took to weigh their instances, and all means above. */
  readonly sitesCpuMs: number;
  readonly meansCpuMs: number;
}

/** Sites upgrade as one: most of a site is on one release, and which that is differs. */
export function measureWeightError(of: {
  vendors: number;
  sites: number;
  instancesPerSite: number;
}): WeightError {
  const random = new Random(7);
  const releases = shares.map((_, at) => `1.${at}.0`);
  const vocabulary: Vocabulary = {
    releases: [...releases, "other"],
    flags: [],
    crashes: [],
    releaseOf: (version) => version,
  };
  const reports = new Map(releases.map((version) => [version, reportOf(version)]));
  const shown: Weights[][] = Array.from({ length: of.vendors }, () => []);
  const really: Weights[] = [];
  let sitesCpuMs = 0;
  for (let site = 0; site < of.sites; site++) {
    const own = siteReports({ random, releases, reports, count: of.instancesPerSite });
    const startedMs = performance.now();
    const weights = weigh(tallyOf(own), vocabulary);
    shown[site % of.vendors]?.push(rounded(weights, undefined));
    sitesCpuMs += performance.now() - startedMs;
    really.push(weights);
  }
  const startedMs = performance.now();
  const vendors = shown.map((weights, at) =>
    sticky(mean(weights, vocabulary), {
      shown: undefined,
      secret: secretOf(at),
      least: leastShown,
    }),
  );
  const root = mean(vendors, vocabulary);
  const meansCpuMs = performance.now() - startedMs;
  const truth = mean(really, vocabulary);
  const errors = root.releases.map(({ basisPoints = 0 }, at) =>
    Math.abs(basisPoints - (truth.releases[at]?.basisPoints ?? 0)),
  );
  return {
    instances: of.sites * of.instancesPerSite,
    meanBasisPoints: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    worstBasisPoints: Math.max(...errors),
    sitesCpuMs,
    meansCpuMs,
  };
}

function mean(all: readonly Weights[], vocabulary: Vocabulary): Weights {
  return meanOf(
    all.map((weights) => ({ weights, hasCounts: false, isModal: false })),
    vocabulary,
  );
}

function siteReports(of: {
  random: Random;
  releases: readonly string[];
  reports: ReadonlyMap<string, ReportRequest>;
  count: number;
}): ReportRequest[] {
  const draw = (): string => {
    let at = of.random.fraction();
    for (const [index, share] of shares.entries()) {
      at -= share;
      if (at < 0) return of.releases[index] ?? "other";
    }
    return of.releases[0] ?? "other";
  };
  const leading = draw();
  return Array.from({ length: of.count }, () => {
    const version = of.random.below(10) < 8 ? leading : draw();
    return of.reports.get(version) ?? reportOf(version);
  });
}

function reportOf(version: string): ReportRequest {
  return create(ReportRequestSchema, { project: "horizon", version, health: "OK", instance: "i" });
}

function secretOf(vendor: number): Uint8Array {
  return deriveSecret({ secret: seedOf(`vendor ${vendor}`), purpose: "rounding of horizon" });
}
