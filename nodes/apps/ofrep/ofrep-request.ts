import { appRequestBytesMax } from "../../../relay/limits.ts";
import { HeadwaterError } from "../../error.ts";
import type { HttpRequest } from "../../http/http-handler.ts";
import { readBody } from "../../http/request-body.ts";
import { parseSelector, type Selector, selectorHeader } from "../flagd/selector.ts";

type ContextFields = Readonly<Record<string, unknown>>;

/** A body that is no JSON; flagd calls that a bad context. */
export class InvalidContext extends HeadwaterError {
  constructor(cause: unknown) {
    super({ kind: "invalid", message: "context: the body is not JSON", cause });
  }
}

/**
 * The context of a request. As flagd does, takes no body, and a context that is no object, for an
 * empty one.
 * @throws InvalidContext, or BodyTooLong past the bound on bodies
 */
export async function readContext(request: HttpRequest): Promise<ContextFields> {
  const text = (await readBody(request, appRequestBytesMax)).toString("utf8");
  if (text.trim() === "") return {};
  const body = parsed(text);
  const context = isObject(body) ? body["context"] : undefined;
  return isObject(context) ? context : {};
}

/** The path goes before the header. */
export function readSelector(request: HttpRequest, project: string): Selector {
  const header = request.headers[selectorHeader.toLowerCase()];
  const selector = parseSelector(typeof header === "string" ? header : "");
  return project === "" ? selector : { ...selector, project };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidContext(cause);
  }
}

function isObject(value: unknown): value is ContextFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
