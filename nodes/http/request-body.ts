import { HeadwaterError } from "../error.ts";
import type { HttpRequest } from "./http-handler.ts";

/** Answered with 413. */
export class BodyTooLong extends HeadwaterError {
  constructor(bytesMax: number) {
    super({ kind: "limit", message: `the body is longer than ${bytesMax} bytes` });
  }
}

/**
 * The whole body of a request.
 * @throws BodyTooLong past the bound; what is still to come is for the answer to end
 */
export async function readBody(request: HttpRequest, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytesCount = 0;
  // Destroying the request would take the answer with it.
  const iterator = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of iterator) {
    bytesCount += chunk.length;
    if (bytesCount > bytesMax) throw new BodyTooLong(bytesMax);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
