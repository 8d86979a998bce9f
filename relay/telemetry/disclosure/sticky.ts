import type { Weights } from "../../../gen/headwater/v1/telemetry_pb.ts";
import { drawFraction } from "../../trust/key.ts";
import { whole } from "../weights.ts";
import { mapShares, type Shown, step, stickiness } from "./share.ts";

/**
 * A mean of children in steps of 5 %, up or down by a threshold that the site's secret draws once
 * for each item: without bias over many parents, and the same answer each time, so that nothing is
 * gained by asking again (Ding, Kulkarni, Yekhanin, Collecting Telemetry Data Privately, 2017).
 */
export function sticky(
  weights: Weights,
  of: {
    shown: Weights | undefined;
    /** What thresholds are drawn with. */
    secret: Uint8Array;
    /** The least that is shown of what is there at all, in basis points. */
    least: number;
  },
): Weights {
  return mapShares(weights, of.shown, ({ basisPoints, shown, list, name }) => {
    const threshold = drawFraction(of.secret, `${list} ${name}`);
    return stickyShare({ basisPoints, shown, threshold, least: of.least });
  });
}

function stickyShare(of: {
  basisPoints: number;
  shown: Shown;
  threshold: number;
  least: number;
}): number {
  const { basisPoints, shown, threshold, least } = of;
  if (basisPoints === 0 || basisPoints >= whole) return basisPoints;
  const drawn = Math.max(least, Math.floor(basisPoints / step + threshold) * step);
  if (shown === undefined || shown < least || shown % step !== 0) return drawn;
  const low = shown === least ? 0 : shown - threshold * step - stickiness;
  const high = shown + (1 - threshold) * step + stickiness;
  return low <= basisPoints && basisPoints < high ? shown : drawn;
}
