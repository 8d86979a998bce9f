import { heartbeatIntervalMs, secondMs } from "../../../relay/cadence.ts";
import type { HttpRequest, HttpResponse } from "../../http/http-handler.ts";
import type { FlagSetStreams } from "../flagd/flag-set-streams.ts";
import { selectedProject } from "../flagd/selected-project.ts";

/** How soon a client of server-sent events comes again, in milliseconds. */
const retryMs = 1 * secondMs;

/** Where changes after an answer are heard of; `state` is where the answer's project stood. */
export function eventsPath(of: { project: string; state: string }): string {
  const query = new URLSearchParams({ state: of.state });
  return `/${of.project}/ofrep/v1/events?${query.toString()}`;
}

/**
 * Answers with server-sent events until the client goes or the node stops: `refetchEvaluation`
 * after each change, and at once to who comes with an older state. A client that does not read is
 * owed one event at most.
 */
export async function streamEvents(
  request: HttpRequest,
  response: HttpResponse,
  of: { streams: FlagSetStreams; project: string; keepAliveMs: number | undefined },
): Promise<void> {
  const { access, shutdown } = of.streams;
  const query = new URL(request.url ?? "", "http://node").searchParams;
  const project = selectedProject(access, of.project);
  const stateNow = (): string => access.reads.standing(project, access.now().wallMs)?.state ?? "";

  const gone = new AbortController();
  const end = (): void => gone.abort();
  response.once("close", end);
  const state = { told: lastEventId(request) ?? query.get("state") ?? stateNow(), alive: true };
  const events = of.streams.open({
    projects: [project],
    signal: AbortSignal.any([gone.signal, shutdown]),
    take: () => {
      const now = stateNow();
      if (now !== "" && now !== state.told) {
        state.told = now;
        return eventText(now);
      }
      const owesComment = state.alive;
      state.alive = false;
      return owesComment ? ": alive\n\n" : undefined;
    },
    onOpen: (wake) => {
      const timer = setInterval(() => {
        state.alive = true;
        wake();
      }, of.keepAliveMs ?? heartbeatIntervalMs);
      return () => clearInterval(timer);
    },
  });
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(`retry: ${retryMs}\n\n`);
  await writeAll(response, events, gone.signal);
}

function eventText(state: string): string {
  const data = JSON.stringify({ type: "refetchEvaluation", etag: state });
  return `id: ${state}\ndata: ${data}\n\n`;
}

function lastEventId(request: HttpRequest): string | undefined {
  const header = request.headers["last-event-id"];
  return typeof header === "string" && header !== "" ? header : undefined;
}

/** Takes the next text only when the one before has been taken from here. */
async function writeAll(
  response: HttpResponse,
  texts: AsyncIterable<string>,
  gone: AbortSignal,
): Promise<void> {
  try {
    for await (const text of texts) {
      if (response.write(text)) continue;
      await new Promise<void>((resolve) => {
        response.once("drain", resolve);
        gone.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  } catch {
    // The node stops; the client comes again by itself.
  }
  response.end();
}
