import { create } from "@bufbuild/protobuf";
import { type Weights, WeightsSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";
import type { VerdictWord } from "../trial/verdict.ts";
import { whole } from "../weights.ts";
import { mapShares } from "./share.ts";

/** Windows for which the same is said. */
export const modalWindowsCount = 7;

/** Says of all only which release is the most common, as if everybody were on it. */
export function modal(weights: Weights, shown: Weights | undefined, repeats: boolean): Weights {
  const former = modeOf(shown);
  const repeated = weights.releases.some(({ name }) => name === former) ? former : undefined;
  const mode = repeats ? repeated : modeOf(weights, former);
  const said = mapShares(weights, undefined, ({ list, name }) =>
    list === "releases" && name === mode ? whole : 0,
  );
  return create(WeightsSchema, { ...said, releasesOnly: 1 });
}

/** What is wrong is said; that nothing is would tell whether there are enough instances to judge. */
export function modalVerdict(verdict: VerdictWord): VerdictWord {
  return verdict === "OK" ? "INSUFFICIENT" : verdict;
}

/** The most common release, if there is any; of several the one that was said last. */
function modeOf(weights: Weights | undefined, former?: string): string | undefined {
  let mode: { name: string; basisPoints: number } | undefined;
  for (const { name, basisPoints = 0 } of weights?.releases ?? []) {
    const isMore = basisPoints > (mode?.basisPoints ?? 0);
    const isFormer = basisPoints === mode?.basisPoints && name === former;
    if (isMore || isFormer) mode = { name, basisPoints };
  }
  return mode?.name;
}
