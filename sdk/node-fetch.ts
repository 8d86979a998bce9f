import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestOverTls } from "node:https";

/**
 * As much of `fetch` as calls to a node need. Node's own keeps a process alive for as long as a
 * stream is open, and a program must be able to end without having closed its flags.
 */
export const nodeFetch: typeof globalThis.fetch = (input, init = {}) =>
  new Promise((resolve, reject) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const start = url.protocol === "https:" ? requestOverTls : requestPlain;
    const request = start(url, {
      // A stream has its connection for life, and reports are an hour apart: nothing to share.
      agent: false,
      method: init.method ?? "GET",
      headers: Object.fromEntries(new Headers(init.headers)),
      ...(init.signal && { signal: init.signal }),
    });
    request.on("socket", (socket) => socket.unref());
    request.on("error", (error) => reject(withMessage(error)));
    // What nobody has asked for, such as another protocol, is neither a response nor an error.
    request.on("close", () => reject(new Error("the connection was lost without an answer")));
    request.on("response", (incoming) => {
      // An answer that no Response can hold throws, which nobody would catch out here.
      Promise.resolve(incoming).then(responseOf).then(resolve, reject);
    });
    request.end(init.body as Uint8Array | string | null | undefined);
  });

/** Of several addresses that all fail, Node gives only the codes. */
function withMessage(error: NodeJS.ErrnoException): Error {
  return error.message === "" ? new Error(error.code ?? "no reason", { cause: error }) : error;
}

/** @throws Error where it says that the node is elsewhere: not everywhere may what is reported go. */
function responseOf(incoming: IncomingMessage): Response {
  const { statusCode: status = 0, headersDistinct } = incoming;
  const { location } = incoming.headers;
  if (location !== undefined && status >= 300 && status < 400) {
    incoming.destroy();
    throw new Error(
      `it is redirected with ${status} to ${location}: write the address of the node`,
    );
  }
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  const hasBody = ![204, 205, 304].includes(status);
  const body = bodyOf(incoming);
  return new Response(hasBody ? body : null, { status, headers });
}

function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      incoming.on("data", (chunk: Uint8Array) => {
        controller.enqueue(chunk);
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause();
      });
      incoming.once("end", () => controller.close());
      incoming.on("error", (error) => controller.error(error));
      // Before the end no other event need come. After it an error would take what nobody has read yet.
      incoming.once("close", () => {
        if (!incoming.readableEnded) controller.error(new Error("the connection was lost"));
      });
    },
    pull() {
      incoming.resume();
    },
    cancel() {
      // What has come already still follows, and there is nothing left that could take it.
      incoming.removeAllListeners("data").removeAllListeners("end").destroy();
    },
  });
}
