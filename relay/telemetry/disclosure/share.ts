import { create } from "@bufbuild/protobuf";
import { type Weights, WeightsSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { byName, type WeightList, weightLists } from "../weights.ts";

/** 5 %, in basis points: one of twenty. */
export const step = 500;

/**
 * How far past an edge a share has to be before what is shown moves, in basis points: a share that
 * wobbles around an edge would else show each crossing.
 */
export const stickiness = 100;

/** What was shown of a share last, in basis points, if it is for a coarse document to repeat. */
export type Shown = number | undefined;

/** Each share as `disclose` lets it be seen. No counts. */
export function mapShares(
  weights: Weights,
  shown: Weights | undefined,
  disclose: (of: { basisPoints: number; shown: Shown; list: WeightList; name: string }) => number,
): Weights {
  const lists = weightLists.map((list) => {
    const former = byName(shown?.[list] ?? []);
    const shares = weights[list].map(({ name, basisPoints = 0 }) => ({
      name,
      basisPoints: disclose({ basisPoints, shown: former.get(name)?.basisPoints, list, name }),
    }));
    return [list, shares] as const;
  });
  const { releasesOnly = 0 } = weights;
  return create(WeightsSchema, { ...Object.fromEntries(lists), releasesOnly });
}
