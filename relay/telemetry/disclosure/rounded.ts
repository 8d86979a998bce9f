import { create } from "@bufbuild/protobuf";
import { type Health, HealthSchema, type Weights } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { mapShares, type Shown, step, stickiness } from "./share.ts";

/**
 * Each share to the nearest 5 %, at least 5 % when there is any at all, so that presence never
 * rounds to zero; sticky near an edge. No counts.
 */
export function rounded(weights: Weights, shown: Weights | undefined): Weights {
  return mapShares(weights, shown, (of) => roundShare(of.basisPoints, of.shown));
}

/** Verdicts say no rates; of arrival the share, which would else tell how many children there are. */
export function roundedHealth(health: Health, shown: Health | undefined): Health {
  const { arrival } = health;
  if (arrival === undefined) return health;
  const basisPoints = roundShare(arrival.basisPoints ?? 0, shown?.arrival?.basisPoints);
  const { releases, flags } = health;
  return create(HealthSchema, { releases, flags, arrival: { ...arrival, basisPoints } });
}

function roundShare(basisPoints: number, shown: Shown): number {
  if (basisPoints === 0) return 0;
  const nearest = Math.max(step, Math.round(basisPoints / step) * step);
  // An exact document may have gone before: what it showed is not for this one to repeat.
  if (shown === undefined || shown === 0 || shown % step !== 0) return nearest;
  return Math.abs(basisPoints - shown) <= step / 2 + stickiness ? shown : nearest;
}
