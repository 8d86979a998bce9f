import type { ConnectRouter } from "@connectrpc/connect";
import { Service as EvaluationV1 } from "../../../gen/flagd/evaluation/v1/evaluation_pb.ts";
import { Service as EvaluationV2 } from "../../../gen/flagd/evaluation/v2/evaluation_pb.ts";
import { FlagSyncService } from "../../../gen/flagd/sync/v1/sync_pb.ts";
import { evaluationV1 } from "./evaluation-v1.ts";
import { evaluationV2 } from "./evaluation-v2.ts";
import { EventStreams } from "./event-streams.ts";
import type { FlagSetStreams } from "./flag-set-streams.ts";
import { syncService } from "./sync-service.ts";

/** Compressing a set anew for each of its clients would cost more than sending it as it is. */
const uncompressed = { compressMinBytes: 0xffff_ffff };

/** All that flagd's clients call. */
export function flagdServices(of: {
  streams: FlagSetStreams;
  /** The longest silence of an event stream; tests shorten it. */
  keepAliveMs?: number | undefined;
}): (router: ConnectRouter) => void {
  const { access } = of.streams;
  const events = new EventStreams(of);
  return (router) => {
    router.service(EvaluationV1, evaluationV1(access, events));
    router.service(EvaluationV2, evaluationV2(access, events));
    router.service(FlagSyncService, syncService(of.streams), uncompressed);
  };
}
