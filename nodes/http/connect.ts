import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextKey,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import { quoted } from "../../relay/quoted.ts";
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "../connect-node.ts";
import { HeadwaterError, toConnect } from "../error.ts";
import type { Log } from "../log.ts";
import { withCors } from "./cors.ts";
import {
  addressOf,
  answerJson,
  type HttpFallback,
  type HttpHandler,
  type HttpRequest,
  type HttpResponse,
  type HttpRoute,
  notFound,
  pathOf,
} from "./http-handler.ts";

export interface ConnectOptions {
  readonly routes: readonly ((router: ConnectRouter) => void)[];
  readonly log: Log;
  readonly readBytesMax: number;
  /** Aborts the signals of all calls in progress. */
  readonly shutdown: AbortSignal;
  /** Refuses a call by throwing, before its body is read. */
  readonly gate?: (context: HandlerContext) => void;
  /** Pages of these origins may call; none by default. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Told of each request: the path of a known call, else empty. */
  readonly onCall?: ((path: string) => void) | undefined;
  /** Answers some calls of the routes in a way of its own; told of all requests first. */
  readonly lane?: HttpRoute | undefined;
  /** Takes every path that is no route's; by default it does not exist. */
  readonly fallback?: HttpFallback | undefined;
}

/** Serves Connect, gRPC and gRPC-Web; a `HeadwaterError` becomes what each of them understands. */
export function connectHandler(options: ConnectOptions): HttpHandler {
  const { log, gate, fallback = notFound } = options;
  const router = createConnectRouter({
    acceptCompression: [compressionGzip],
    interceptors: [translateErrors(log)],
    readMaxBytes: options.readBytesMax,
    shutdownSignal: options.shutdown,
    ...(gate && { requestGate: translating(gate) }),
  });
  for (const route of options.routes) route(router);
  const routes = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  const answer = async (request: HttpRequest, response: HttpResponse): Promise<void> => {
    const route = routes.get(pathOf(request));
    options.onCall?.(route?.requestPath ?? "");
    await (options.lane?.(request, response) ??
      (route === undefined ? fallback(request, response) : call(route, request, response)));
  };
  const handler: HttpHandler = (request, response) => {
    answer(request, response).catch((thrown: unknown) =>
      giveUp({ request, response, thrown, log }),
    );
  };
  return withCors(handler, options.corsOrigins ?? []);
}

/** The address that a call comes from, without a port. */
export function remoteAddressOf(context: HandlerContext): string {
  return context.values.get(remoteAddress);
}

const remoteAddress: ContextKey<string> = createContextKey("", { description: "remote address" });

async function call(
  route: ConnectRouter["handlers"][number],
  request: HttpRequest,
  response: HttpResponse,
): Promise<void> {
  const values = createContextValues().set(remoteAddress, addressOf(request));
  let asked: ReturnType<typeof universalRequestFromNodeRequest>;
  try {
    asked = universalRequestFromNodeRequest(request, response, undefined, values);
  } catch {
    const message = "the request names no valid host";
    answerJson(response, 400, { code: "invalid_argument", message });
    return;
  }
  const answered = await route(asked);
  if (answered.body === undefined && answered.status === 405)
    return refuseMethod(request, response);
  if (answered.body === undefined && answered.status === 415)
    return refuseFormat(route, request, response);
  await universalResponseToNodeResponse(await reworded(answered), response);
}

/** Connect says nothing but the status here, and to who types a call that is no help. */
function refuseMethod(request: HttpRequest, response: HttpResponse): void {
  response.setHeader("allow", "POST");
  const message = `${request.method} is not for this path; POST is`;
  answerJson(response, 405, { code: "unimplemented", message });
}

function refuseFormat(
  { method }: ConnectRouter["handlers"][number],
  { headers }: HttpRequest,
  response: HttpResponse,
): void {
  const wanted = method.methodKind === "unary" ? "application/json" : "application/connect+json";
  const given = quoted(headers["content-type"] ?? "");
  const message = `content-type: ${given} is not for this call; ${wanted} is, or what gRPC sends`;
  answerJson(response, 415, { code: "invalid_argument", message });
}

type Answered = Awaited<ReturnType<ConnectRouter["handlers"][number]>>;

/** What Connect says of a body in words of its own, what is said instead, and the status of that. */
const rewordings: readonly (readonly [said: RegExp, instead: string, status: number])[] = [
  // It takes a binary body that is no message for our fault, though not one in JSON.
  [
    /^\{"code":"internal","message":"parse binary: /,
    '{"code":"invalid_argument","message":"body: ',
    400,
  ],
  [
    /"message size \d+ is larger than configured readMaxBytes (\d+)"/,
    '"the body is longer than $1 bytes"',
    429,
  ],
  [/"decompression failed"/, '"body: it is not packed as content-encoding says"', 400],
];

async function reworded(answered: Answered): Promise<Answered> {
  if (answered.status < 400 || answered.body === undefined) return answered;
  const chunks: Uint8Array[] = [];
  for await (const chunk of answered.body) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  for (const [said, instead, status] of rewordings)
    if (said.test(text)) return rewritten(answered, status, text.replace(said, instead));
  return { ...answered, body: only(text) };
}

function rewritten({ header }: Answered, status: number, text: string): Answered {
  const given = new Headers(header);
  given.set("content-length", String(Buffer.byteLength(text)));
  return { status, header: given, body: only(text) };
}

async function* only(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** That a client has gone in the middle is no event; anything else is our fault. */
function giveUp(of: {
  request: HttpRequest;
  response: HttpResponse;
  thrown: unknown;
  log: Log;
}): void {
  const { request, response, thrown, log } = of;
  // A response of HTTP/2 does not tell.
  const gone =
    request.aborted || response.destroyed || ConnectError.from(thrown).code === Code.Aborted;
  if (!gone) logInternal(log, thrown, "a request");
  if (gone || response.headersSent) {
    response.destroy();
    return;
  }
  const { rawMessage } = toConnect(new HeadwaterError({ kind: "internal", message: "" }));
  answerJson(response, 500, { code: "internal", message: rawMessage });
}

function translating(gate: (context: HandlerContext) => void): (context: HandlerContext) => void {
  return (context) => {
    try {
      gate(context);
    } catch (thrown) {
      throw toConnect(thrown);
    }
  };
}

function translateErrors(log: Log): Interceptor {
  return (next) => async (request) => {
    const translated = (thrown: unknown): ConnectError => {
      const error = toConnect(thrown);
      if (!(thrown instanceof ConnectError) && error.code === Code.Internal)
        logInternal(log, thrown, `${request.method.parent.typeName}/${request.method.name}`);
      return error;
    };
    try {
      const response = await next(request);
      if (!response.stream) return response;
      return { ...response, message: rethrowing(response.message, translated) };
    } catch (thrown) {
      throw translated(thrown);
    }
  };
}

async function* rethrowing<T>(
  messages: AsyncIterable<T>,
  translated: (thrown: unknown) => ConnectError,
): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (thrown) {
    throw translated(thrown);
  }
}

function logInternal(log: Log, cause: unknown, what: string): void {
  const { message } = HeadwaterError.from(cause);
  log.write({
    level: "error",
    event: "request-failed",
    message: `${what} failed: ${message}`,
    fields: { what },
    cause,
  });
}
