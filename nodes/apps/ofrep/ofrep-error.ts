import { type ErrorKind, HeadwaterError } from "../../error.ts";
import { answerJson, type HttpRequest, type HttpResponse } from "../../http/http-handler.ts";
import { BodyTooLong } from "../../http/request-body.ts";
import { InvalidContext } from "./ofrep-request.ts";

/** Statuses and codes of OFREP 0.3 that fit; what is left is an internal error. */
const answers: Partial<Record<ErrorKind, readonly [status: number, errorCode: string]>> = {
  invalid: [400, "GENERAL"],
  unknown: [404, "FLAG_NOT_FOUND"],
  limit: [429, "GENERAL"],
  unavailable: [503, "PROVIDER_NOT_READY"],
};

const invalidContext = [400, "INVALID_CONTEXT"] as const;
const tooLong = [413, "INVALID_CONTEXT"] as const;

/**
 * Answers with what went wrong.
 * @throws what is our own fault, to be logged
 */
export function answerProblem(
  request: HttpRequest,
  response: HttpResponse,
  { thrown, key }: { thrown: unknown; key: string | undefined },
): void {
  const { kind, text: errorDetails } = HeadwaterError.from(thrown);
  const answer = thrown instanceof InvalidContext ? invalidContext : answers[kind];
  if (answer === undefined) throw thrown;
  const [status, errorCode] = thrown instanceof BodyTooLong ? tooLong : answer;
  // What is left of the body is not waited for.
  if (status === 413 && request.httpVersionMajor === 1) response.setHeader("connection", "close");
  answerJson(response, status, { ...(key !== undefined && { key }), errorCode, errorDetails });
}
