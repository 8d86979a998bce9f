import type { NodeServerResponse } from "@connectrpc/connect-node";

/** Answers with JSON, in the shape of Connect's errors where it is one. */
export function answerJson(response: NodeServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
