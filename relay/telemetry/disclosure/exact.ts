import { clone } from "@bufbuild/protobuf";
import { type Weights, WeightsSchema } from "../../../gen/headwater/v1/telemetry_pb.ts";

/** Shares and counts as they are: for test beds and one's own machines. */
export function exact(weights: Weights): Weights {
  return clone(WeightsSchema, weights);
}
