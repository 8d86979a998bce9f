import type { JsonObject } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { Service } from "../../../gen/flagd/evaluation/v2/evaluation_pb.ts";
import type { NodeAccess } from "../../access.ts";
import { type Evaluation, evaluateOne } from "./evaluation.ts";
import type { EventStreams } from "./event-streams.ts";
import { selectorOf } from "./request-selector.ts";
import { typeMismatch } from "./type-mismatch.ts";

/** flagd's remote evaluation as its clients of today call it. */
export function evaluationV2(
  access: NodeAccess,
  events: EventStreams,
): ServiceImpl<typeof Service> {
  const evaluate = (
    request: { flagKey: string; context?: JsonObject | undefined },
    context: HandlerContext,
  ): Evaluation =>
    evaluateOne(access, {
      selector: selectorOf(context),
      flag: request.flagKey,
      context: request.context,
    });
  return {
    resolveBoolean: (request, context) => {
      const { value, reason, variant, metadata } = evaluate(request, context);
      return { value, reason, variant, metadata };
    },
    resolveString: (request, context) => typeMismatch(evaluate(request, context)),
    resolveFloat: (request, context) => typeMismatch(evaluate(request, context)),
    resolveInt: (request, context) => typeMismatch(evaluate(request, context)),
    resolveObject: (request, context) => typeMismatch(evaluate(request, context)),
    eventStream: (_, context) => events.open(selectorOf(context), context.signal),
  };
}
