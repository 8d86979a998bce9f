import type { JsonObject } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { Service } from "../../../gen/flagd/evaluation/v1/evaluation_pb.ts";
import type { NodeAccess } from "../../access.ts";
import { type Evaluation, evaluateAll, evaluateOne } from "./evaluation.ts";
import type { EventStreams } from "./event-streams.ts";
import { selectorOf } from "./request-selector.ts";
import { typeMismatch } from "./type-mismatch.ts";

/** flagd's remote evaluation as its clients up to 2025, and those in browsers, call it. */
export function evaluationV1(
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
    resolveAll: (request, context) => {
      const { metadata, evaluations } = evaluateAll(access, {
        selector: selectorOf(context),
        context: request.context,
      });
      const flags = evaluations.map(({ flag, ...answer }) => [flag, anyFlag(answer)] as const);
      return { flags: Object.fromEntries(flags), metadata };
    },
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

function anyFlag(answer: Omit<Evaluation, "flag">) {
  const { value, reason, variant, metadata } = answer;
  return { reason, variant, metadata, value: { case: "boolValue" as const, value } };
}
