import type { NodeAccess } from "../access.ts";
import { HeadwaterError } from "../error.ts";
import {
  addressOf,
  answerJson,
  type HttpFallback,
  type HttpRequest,
  type HttpResponse,
  pathOf,
} from "../http/http-handler.ts";
import type { Authorization } from "./authorization.ts";
import { assertScope } from "./method-scope.ts";
import type { Metrics } from "./metrics.ts";

export interface HealthOptions {
  readonly access: NodeAccess;
  readonly authorization: Authorization;
  readonly metrics: Metrics;
  /** Takes every other path. */
  readonly fallback: HttpFallback;
}

/**
 * What orchestrators and monitoring ask. `/healthz` and `/readyz` need no token, as probes have
 * none, and name no number; `/metrics` needs it.
 */
export function healthHandler(options: HealthOptions): HttpFallback {
  return (request, response) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return options.fallback(request, response);
    }
    switch (pathOf(request)) {
      case "/healthz":
        answerHealth(response, options.access);
        return;
      case "/readyz":
        answerReadiness(response, options.access);
        return;
      case "/metrics":
        return answerMetrics(request, response, options);
      default:
        return options.fallback(request, response);
    }
  };
}

/** Restarting a node helps against nothing but itself: a full disk or a lost upstream is no reason. */
function answerHealth(response: HttpResponse, { ailment }: NodeAccess): void {
  if (ailment === undefined) answerJson(response, 200, { status: "alive" });
  else answerJson(response, 503, { status: "ailing", why: ailment });
}

/**
 * Not ready is a node that was given projects and has not one of them yet: another can answer
 * better. A single EMPTY project makes no difference, or joining one that its upstream does not
 * have yet would take a site's other flags out of service. Old data is served: freshness is a
 * label, not a switch.
 */
function answerReadiness(response: HttpResponse, access: NodeAccess): void {
  const { reads } = access;
  const { wallMs } = access.now();
  const projects = reads.projects();
  const empty = projects.filter((project) => reads.freshness(project, wallMs) === "EMPTY");
  const ready = projects.length === 0 || empty.length < projects.length;
  answerJson(response, ready ? 200 : 503, { status: ready ? "ready" : "empty", empty });
}

async function answerMetrics(
  request: HttpRequest,
  response: HttpResponse,
  { access, authorization, metrics }: HealthOptions,
): Promise<void> {
  try {
    const admitted = authorization.check({
      header: request.headers.authorization,
      address: addressOf(request),
      ...access.now(),
    });
    assertScope(["read", "flags", "overlay"], admitted);
  } catch (thrown) {
    const { kind, message } = HeadwaterError.from(thrown);
    if (kind === "forbidden")
      return answerJson(response, 403, { code: "permission_denied", message });
    if (kind === "limit") return answerJson(response, 429, { code: "resource_exhausted", message });
    response.setHeader("www-authenticate", "Bearer");
    return answerJson(response, 401, { code: "unauthenticated", message });
  }
  const text = await metrics.text();
  response.writeHead(200, { "content-type": metrics.contentType });
  response.end(text);
}
