import type { IncomingHttpHeaders } from "node:http";
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  fromJsonString,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { codeToHttpStatus, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import { HeadwaterError, toConnect } from "../error.ts";
import {
  addressOf,
  type HttpRequest,
  type HttpResponse,
  type HttpRoute,
  pathOf,
} from "./http-handler.ts";
import { BodyTooLong, readBody } from "./request-body.ts";

/** What asks for more than an answer; Connect knows how to give it. */
const unusual = ["content-encoding", "connect-timeout-ms"];

/** Others than this Connect refuses. */
const protocolVersion = "1";

/** How messages are read and written. */
interface Format<I extends DescMessage, O extends DescMessage> {
  readonly read: (body: Buffer) => MessageShape<I>;
  readonly write: (message: MessageShape<O>) => Uint8Array;
}

/**
 * Answers calls of one method in the Connect protocol that ask for nothing but an answer; those that
 * do, and gRPC's, are left to Connect, which would answer these the same way, and take most of what
 * they cost.
 */
export function unaryLane<I extends DescMessage, O extends DescMessage>(of: {
  method: DescMethodUnary<I, O>;
  requestBytesMax: number;
  /** What it throws is answered, unless it is our fault: that is thrown on. */
  answer: (message: MessageShape<I>, remoteAddress: string) => Promise<MessageInitShape<O>>;
}): HttpRoute {
  const { method, requestBytesMax } = of;
  const path = `/${method.parent.typeName}/${method.name}`;
  const formats = formatsOf(method);
  const serve = async (
    request: HttpRequest,
    response: HttpResponse,
    { read, write }: Format<I, O>,
  ): Promise<void> => {
    // A socket that is gone by the time that the body was read has no address any more.
    const address = addressOf(request);
    try {
      const message = readMessage(await readBody(request, requestBytesMax), read);
      const answer = await of.answer(message, address);
      send(response, 200, request.headers["content-type"], write(create(method.output, answer)));
    } catch (thrown) {
      refuse(request, response, thrown);
    }
  };
  return (request, response) => {
    const { headers } = request;
    if (request.method !== "POST" || pathOf(request) !== path) return undefined;
    const format = formats.get(headers["content-type"] ?? "");
    if (format === undefined || !isPlain(headers)) return undefined;
    return serve(request, response, format);
  };
}

function isPlain(headers: IncomingHttpHeaders): boolean {
  const version = headers["connect-protocol-version"] ?? protocolVersion;
  return version === protocolVersion && !unusual.some((name) => name in headers);
}

/** By what clients may say, which is anything: `constructor` is no format. */
function formatsOf<I extends DescMessage, O extends DescMessage>({
  input,
  output,
}: DescMethodUnary<I, O>): ReadonlyMap<string, Format<I, O>> {
  const binary: Format<I, O> = {
    read: (body) => fromBinary(input, body),
    write: (message) => toBinary(output, message),
  };
  const json: Format<I, O> = {
    read: (body) => fromJsonString(input, body.toString(), { ignoreUnknownFields: true }),
    write: (message) => Buffer.from(toJsonString(output, message)),
  };
  return new Map([
    ["application/proto", binary],
    ["application/json", json],
  ]);
}

/** @throws HeadwaterError `invalid` */
function readMessage<T>(body: Buffer, read: (body: Buffer) => T): T {
  try {
    return read(body);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HeadwaterError({ kind: "invalid", message: `body: ${why}`, cause });
  }
}

/** @throws what is our own fault, or a client that has gone: that is told apart, and logged, above */
function refuse(request: HttpRequest, response: HttpResponse, thrown: unknown): void {
  if (!(thrown instanceof HeadwaterError) || thrown.kind === "internal") throw thrown;
  const error = toConnect(thrown);
  for (const [name, value] of error.metadata) response.setHeader(name, value);
  // What is left of the body is not waited for.
  if (thrown instanceof BodyTooLong && request.httpVersionMajor === 1)
    response.setHeader("connection", "close");
  const body = errorToJsonBytes(error, undefined);
  send(response, codeToHttpStatus(error.code), "application/json", body);
}

function send(
  response: HttpResponse,
  status: number,
  contentType: string | undefined,
  body: Uint8Array,
): void {
  response.writeHead(status, { "content-type": contentType, "content-length": body.length });
  response.end(body);
}
