import { createHash } from "node:crypto";
import { flagdContext } from "../../../relay/flag/flagd-answer.ts";
import type { NodeAccess } from "../../access.ts";
import { answerJson, type HttpRequest, type HttpResponse } from "../../http/http-handler.ts";
import { type Evaluation, evaluateAll, evaluateOne, noteAsking } from "../flagd/evaluation.ts";
import { selectedProject } from "../flagd/selected-project.ts";
import type { Selector } from "../flagd/selector.ts";
import { eventsPath } from "./ofrep-events.ts";

type ContextFields = Readonly<Record<string, unknown>>;

/** Answers `POST /ofrep/v1/evaluate/flags/FLAG`. */
export function answerOne(
  response: HttpResponse,
  of: { access: NodeAccess; selector: Selector; flag: string; context: ContextFields },
): void {
  answerJson(response, 200, flagBody(evaluateOne(of.access, of)));
}

/**
 * Answers `POST /ofrep/v1/evaluate/flags`, with 304 to who has the answer already. The tag stands
 * for all that the answer depends on: flags, freshness, and what of the context counts.
 */
export function answerAll(
  request: HttpRequest,
  response: HttpResponse,
  of: { access: NodeAccess; selector: Selector; context: ContextFields },
): void {
  const project = selectedProject(of.access, of.selector.project);
  noteAsking(of.access, project, of);
  const state = of.access.reads.standing(project, of.access.now().wallMs)?.state ?? "";
  const { key, version } = flagdContext(of.context);
  const { selector } = of;
  const etag = tagOf([project, state, selector.version || version, selector.instance || key]);
  response.setHeader("etag", etag);
  if (state !== "" && isTagged(request.headers["if-none-match"], etag)) {
    response.writeHead(304);
    response.end();
    return;
  }
  const { evaluations, metadata } = evaluateAll(of.access, of);
  const requestUri = eventsPath({ project, state });
  answerJson(response, 200, {
    flags: evaluations.map(flagBody),
    metadata,
    eventStreams: [{ type: "sse", endpoint: { requestUri } }],
  });
}

function flagBody({ flag, value, reason, variant, metadata }: Evaluation): object {
  return { key: flag, value, reason, variant, metadata };
}

/** Lengths are part of it, so that no two lists read the same. */
function tagOf(parts: readonly string[]): string {
  return `"${createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 32)}"`;
}

/** RFC 9110, section 13.1.2: any of the tags given, weak or strong, or `*`. */
function isTagged(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  // A published client drops the quotes.
  return tags.some((tag) => tag === "*" || tag === etag || `"${tag}"` === etag);
}
