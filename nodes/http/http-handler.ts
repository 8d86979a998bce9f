import type { NodeHandler } from "../connect-node.ts";

type Given = Parameters<NodeHandler>;

/** Of HTTP/1.1 or HTTP/2, as Connect takes them. */
export type HttpRequest = Given[0];
export type HttpResponse = Given[1];

/** Answers every request, and never throws. */
export type HttpHandler = (request: HttpRequest, response: HttpResponse) => void;

/** Answers requests that are no calls; what it throws is logged and answered as an internal error. */
export type HttpFallback = (request: HttpRequest, response: HttpResponse) => void | Promise<void>;

/** Answers requests for its own paths; undefined, and nothing done, for all others. */
export type HttpRoute = (request: HttpRequest, response: HttpResponse) => Promise<void> | undefined;

/** The path without its query. */
export function pathOf(request: Pick<HttpRequest, "url">): string {
  return (request.url ?? "").split("?", 1)[0] ?? "";
}

/** The address that a request comes from, without a port. */
export function addressOf(request: HttpRequest): string {
  // An IPv4 address on a socket for both looks like ::ffff:127.0.0.1.
  return (request.socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
}

/** Answers with JSON, which for an error has the shape of Connect's. */
export function answerJson(response: HttpResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

/** Answers with a text and what a browser has to know about it. */
export function answerText(
  response: HttpResponse,
  of: { status: number; headers: Readonly<Record<string, string>>; text: string },
): void {
  response.writeHead(of.status, { ...of.headers });
  response.end(of.text);
}

/** Answers that there is nothing at this path, as Connect says it of a service that is not there. */
export function notFound(request: HttpRequest, response: HttpResponse): void {
  const message = `there is nothing at ${pathOf(request)}; calls are POST /headwater.v1.…Service/…`;
  answerJson(response, 404, { code: "unimplemented", message });
}
