import type { IncomingHttpHeaders } from "node:http";
import { headerBytesMax } from "../../relay/limits.ts";

/** A request of HTTP/1.1 that has come whole, and asks for nothing but an answer. */
export interface PlainRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const headEnd = "\r\n\r\n";
const requestLine = /^([A-Z]+) (\/[!-~]*) HTTP\/1\.1$/;
/** RFC 9112, 5: a token, and text without a control character in it. */
const headerLine = /^([!#$%&'*+\-.^_`|~\w]+):([\t -~]*)$/;

/** What changes how a request is to be read or answered, whatever it says. */
const unusual = ["transfer-encoding", "content-encoding", "expect", "trailer", "upgrade", "origin"];

/**
 * The request that these bytes are, all of them. Undefined for everything that is not as plain as
 * can be, wrong or right: that is for a parser of all of HTTP to judge.
 */
export function plainRequest(bytes: Buffer): PlainRequest | undefined {
  const headBytes = bytes.indexOf(headEnd);
  if (headBytes === -1 || headBytes > headerBytesMax) return undefined;
  const [first = "", ...lines] = bytes.toString("latin1", 0, headBytes).split("\r\n");
  const [, method, url] = requestLine.exec(first) ?? [];
  const headers = readHeaders(lines);
  const body = bytes.subarray(headBytes + headEnd.length);
  if (method === undefined || url === undefined || headers === undefined) return undefined;
  return isPlain(headers, body.length) ? { method, url, headers, body } : undefined;
}

/** Undefined where a line is no header, or one stands there twice. */
function readHeaders(lines: readonly string[]): IncomingHttpHeaders | undefined {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = headerLine.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    headers.set(name.toLowerCase(), value.trim());
  }
  return headers.size === lines.length ? Object.fromEntries(headers) : undefined;
}

function isPlain(headers: IncomingHttpHeaders, bodyBytes: number): boolean {
  const { host, connection = "close" } = headers;
  return (
    host !== undefined &&
    headers["content-length"] === String(bodyBytes) &&
    /^(?:close|keep-alive)$/i.test(connection) &&
    !unusual.some((name) => name in headers)
  );
}
