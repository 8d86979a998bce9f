import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { StatusSchema } from "../../../gen/opentelemetry/v1/otlp_pb.ts";
import { otlpBodiesMax, reportsBurstMax, reportsPerSecondMax } from "../../../relay/limits.ts";
import { RateLimit } from "../../../relay/rate-limit.ts";
import type { NodeAccess } from "../../access.ts";
import { type ErrorKind, HeadwaterError, toConnect } from "../../error.ts";
import {
  addressOf,
  type HttpRequest,
  type HttpResponse,
  type HttpRoute,
  pathOf,
} from "../../http/http-handler.ts";
import { BodyTooLong } from "../../http/request-body.ts";
import type { AppsCounts } from "../apps-counts.ts";
import { encodingOf, type OtlpEncoding, readMessage, WrongMediaType } from "./otlp-body.ts";
import { OtlpReports } from "./otlp-reports.ts";
import { type Answer, answerOf, type OtlpSignal, otlpSignals } from "./otlp-signal.ts";

interface OtlpParts {
  readonly access: NodeAccess;
  readonly counts: AppsCounts;
  /** Requests of one address, and reports that they make: at once, and then each second. */
  readonly rate?: { burst: number; perSecond: number } | undefined;
}

/** OTLP over HTTP, as https://opentelemetry.io/docs/specs/otlp/#otlphttp has it. */
export function otlpRoute(parts: OtlpParts): HttpRoute {
  const door = new OtlpDoor(parts);
  return (request, response) => {
    const signal = otlpSignals.get(pathOf(request));
    return signal === undefined ? undefined : door.answer(request, response, signal);
  };
}

class OtlpDoor {
  readonly #parts: OtlpParts;
  readonly #reports: OtlpReports;
  readonly #rate: RateLimit;
  #bodiesCount = 0;

  constructor(parts: OtlpParts) {
    this.#parts = parts;
    this.#reports = new OtlpReports(parts);
    this.#rate = new RateLimit(
      parts.rate ?? { burst: reportsBurstMax, perSecond: reportsPerSecondMax },
    );
  }

  async answer(request: HttpRequest, response: HttpResponse, signal: OtlpSignal): Promise<void> {
    const { counts } = this.#parts;
    const encoding = encodingOf(request);
    try {
      this.#admit(request);
      if (encoding === undefined)
        throw new WrongMediaType(
          "content-type: application/x-protobuf and application/json are understood",
        );
      const answer = await this.#take(request, { signal, encoding });
      counts.otlpRequestsCount++;
      write(response, { status: 200, encoding, answer });
    } catch (thrown) {
      counts.otlpRequestsRefusedCount++;
      answerProblem(request, response, { thrown, encoding: encoding ?? "json" });
    }
  }

  /** @throws HeadwaterError for what is no export, or too much of it */
  #admit(request: HttpRequest): void {
    if (request.method !== "POST") throw new WrongMethod();
    const address = addressOf(request);
    if (!this.#takeToken(address))
      throw new HeadwaterError({ kind: "limit", message: `${address} exports too often` });
    if (this.#bodiesCount >= otlpBodiesMax)
      throw new HeadwaterError({ kind: "unavailable", message: "too many export at once" });
  }

  #takeToken(address: string): boolean {
    return this.#rate.take(address, this.#parts.access.now().monoMs);
  }

  async #take(
    request: HttpRequest,
    { signal, encoding }: { signal: OtlpSignal; encoding: OtlpEncoding },
  ): Promise<Answer> {
    this.#bodiesCount++;
    // A socket that is gone by the time that the body was read has no address any more.
    const address = addressOf(request);
    try {
      const message = await readMessage(request, { schema: signal.request, encoding });
      // The request has paid for one.
      let reportsCount = 0;
      const mayReport = (): boolean => reportsCount++ === 0 || this.#takeToken(address);
      const sender = { address, mayReport };
      return signal.answer(await this.#reports.take(signal.batches(message), sender));
    } finally {
      this.#bodiesCount--;
    }
  }
}

/** Answered with 405. */
class WrongMethod extends HeadwaterError {
  constructor() {
    super({ kind: "invalid", message: "exports are POST requests" });
  }
}

/** Statuses by kind; exporters try again at 429 and 503, and never at others. */
const statuses: Partial<Record<ErrorKind, number>> = { invalid: 400, limit: 429, unavailable: 503 };

const retryAfterSeconds = 5;

/** @throws what is our own fault, to be logged */
function answerProblem(
  request: HttpRequest,
  response: HttpResponse,
  { thrown, encoding }: { thrown: unknown; encoding: OtlpEncoding },
): void {
  const status = statusOf(thrown);
  if (status === undefined) throw thrown;
  // What is left of the body is not waited for.
  if (request.httpVersionMajor === 1) response.setHeader("connection", "close");
  if (status === 405) response.setHeader("allow", "POST");
  if (status === 429 || status === 503) response.setHeader("retry-after", retryAfterSeconds);
  const { code, rawMessage: message } = toConnect(thrown);
  const answer = answerOf(
    StatusSchema,
    create(StatusSchema, { code: code ?? Code.Unknown, message }),
  );
  write(response, { status, encoding, answer });
}

function statusOf(thrown: unknown): number | undefined {
  if (thrown instanceof WrongMethod) return 405;
  if (thrown instanceof WrongMediaType) return 415;
  if (thrown instanceof BodyTooLong) return 413;
  return statuses[HeadwaterError.from(thrown).kind];
}

function write(
  response: HttpResponse,
  { status, encoding, answer }: { status: number; encoding: OtlpEncoding; answer: Answer },
): void {
  const isJson = encoding === "json";
  response.writeHead(status, {
    "content-type": isJson ? "application/json" : "application/x-protobuf",
  });
  response.end(isJson ? answer.json() : answer.binary());
}
