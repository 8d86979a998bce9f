import { cors } from "@connectrpc/connect";
import type { HttpHandler } from "./http-handler.ts";

/** What Chromium honours at most, in seconds. */
const preflightAgeSecondsMax = 7_200;

const allowedMethods = [...cors.allowedMethods, "OPTIONS"].join(", ");
const allowedHeaders = [
  ...cors.allowedHeaders,
  "Content-Encoding",
  "Flagd-Selector",
  "If-None-Match",
].join(", ");
const exposedHeaders = [...cors.exposedHeaders, "ETag", "Headwater-Hint"].join(", ");

/** Lets pages of these origins call the handler; `*` is every origin, none changes nothing. */
export function withCors(handler: HttpHandler, origins: readonly string[]): HttpHandler {
  if (origins.length === 0) return handler;
  const allowed = new Set(origins);
  return (request, response) => {
    const { origin } = request.headers;
    response.setHeader("vary", "Origin");
    if (typeof origin === "string" && (allowed.has("*") || allowed.has(origin))) {
      response.setHeader("access-control-allow-origin", origin);
      response.setHeader("access-control-expose-headers", exposedHeaders);
      if (request.method === "OPTIONS") {
        response.setHeader("access-control-allow-methods", allowedMethods);
        response.setHeader("access-control-allow-headers", allowedHeaders);
        response.setHeader("access-control-max-age", String(preflightAgeSecondsMax));
      }
    }
    if (request.method !== "OPTIONS") return handler(request, response);
    response.writeHead(204);
    response.end();
  };
}
