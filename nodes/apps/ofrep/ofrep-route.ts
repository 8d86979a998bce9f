import {
  answerJson,
  type HttpRequest,
  type HttpResponse,
  type HttpRoute,
  pathOf,
} from "../../http/http-handler.ts";
import type { FlagSetStreams } from "../flagd/flag-set-streams.ts";
import { answerProblem } from "./ofrep-error.ts";
import { answerAll, answerOne } from "./ofrep-evaluation.ts";
import { streamEvents } from "./ofrep-events.ts";
import { type OfrepPath, parseOfrepPath } from "./ofrep-path.ts";
import { readContext, readSelector } from "./ofrep-request.ts";

/** OFREP 0.3: https://github.com/open-feature/protocol. */
export function ofrepRoute(of: {
  streams: FlagSetStreams;
  /** The longest silence of an event stream; tests shorten it. */
  keepAliveMs?: number | undefined;
}): HttpRoute {
  return (request, response) => {
    const path = parseOfrepPath(pathOf(request));
    if (path === undefined) return undefined;
    const method = path.kind === "events" ? "GET" : "POST";
    if (request.method === method) return answer(request, response, { ...of, path });
    response.setHeader("allow", method);
    const errorDetails = `${request.method} is not for this path; ${method} is`;
    return Promise.resolve(answerJson(response, 405, { errorDetails }));
  };
}

async function answer(
  request: HttpRequest,
  response: HttpResponse,
  of: { streams: FlagSetStreams; path: OfrepPath; keepAliveMs?: number | undefined },
): Promise<void> {
  const { streams, path } = of;
  const { access } = streams;
  const key = path.kind === "one" ? path.flag : undefined;
  try {
    const selector = readSelector(request, path.project);
    if (path.kind === "events") {
      const { project } = selector;
      await streamEvents(request, response, { streams, project, keepAliveMs: of.keepAliveMs });
      return;
    }
    const context = await readContext(request);
    if (path.kind === "all") answerAll(request, response, { access, selector, context });
    else answerOne(response, { access, selector, context, flag: path.flag });
  } catch (thrown) {
    answerProblem(request, response, { thrown, key });
  }
}
