import { create } from "@bufbuild/protobuf";
import {
  type Health,
  HealthSchema,
  type Weight,
  type Weights,
  WeightsSchema,
} from "../../../gen/headwater/v1/telemetry_pb.ts";
import { byName } from "../weights.ts";

/** 5 %, in basis points. */
const step = 500;

/**
 * How far past an edge a share has to be before what is shown moves, in basis points: a share that
 * wobbles around 2.5 % past a step would else show each crossing.
 */
const stickiness = 100;

/**
 * Each share to the nearest 5 %, at least 5 % when there is any at all, so that presence never
 * rounds to zero; sticky near an edge. No counts.
 */
export function rounded(weights: Weights, shown: Weights | undefined): Weights {
  const list = (
    now: readonly Weight[],
    before: readonly Weight[] | undefined,
  ): { name: string; basisPoints: number }[] => {
    const former = byName(before ?? []);
    return now.map(({ name, basisPoints }) => ({
      name,
      basisPoints: roundShare(basisPoints ?? 0, former.get(name)?.basisPoints),
    }));
  };
  return create(WeightsSchema, {
    releases: list(weights.releases, shown?.releases),
    degraded: list(weights.degraded, shown?.degraded),
    failed: list(weights.failed, shown?.failed),
    flags: list(weights.flags, shown?.flags),
  });
}

/** Verdicts say no rates; of arrival the share, which would else tell how many children there are. */
export function roundedHealth(health: Health, shown: Health | undefined): Health {
  const { arrival } = health;
  if (arrival === undefined) return health;
  const basisPoints = roundShare(arrival.basisPoints ?? 0, shown?.arrival?.basisPoints);
  return create(HealthSchema, { releases: health.releases, arrival: { ...arrival, basisPoints } });
}

/** @param shown what was shown of it last, in basis points */
function roundShare(basisPoints: number, shown: number | undefined): number {
  if (basisPoints === 0) return 0;
  const nearest = Math.max(step, Math.round(basisPoints / step) * step);
  // An exact document may have gone before: what it showed is not for this one to repeat.
  if (shown === undefined || shown === 0 || shown % step !== 0) return nearest;
  return Math.abs(basisPoints - shown) <= step / 2 + stickiness ? shown : nearest;
}
