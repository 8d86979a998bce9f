import { answerBytesMax } from "./limits.ts";

/** Of the envelope of a frame: its flags, then its length. */
const headBytes = 5;

/**
 * Fetches as `fetch` does, and ends an answer that is longer than a node may give, or has a frame that
 * is: the app has to hold all of it before it knows what it is.
 */
export function withAnswerBound(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.body === null) return response;
    const isStream = response.headers.get("content-type")?.startsWith("application/connect+");
    const check = isStream === true ? frameCheck() : wholeCheck();
    const checked = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        check(chunk);
        controller.enqueue(chunk);
      },
    });
    return new Response(response.body.pipeThrough(checked), response);
  };
}

type Check = (chunk: Uint8Array) => void;

function wholeCheck(): Check {
  let bytesCount = 0;
  return (chunk) => {
    bytesCount += chunk.length;
    checkLength(bytesCount);
  };
}

/** Heads and bodies of frames come in any pieces. */
function frameCheck(): Check {
  let headCount = 0;
  let length = 0;
  let left = 0;
  return (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      if (left > 0) {
        const count = Math.min(left, chunk.length - at);
        left -= count;
        at += count;
        continue;
      }
      // The flags go out of the number again, as it has no more than the last four bytes.
      length = ((length << 8) | (chunk[at++] ?? 0)) >>> 0;
      if (++headCount < headBytes) continue;
      checkLength(length);
      left = length;
      headCount = 0;
    }
  };
}

function checkLength(bytesCount: number): void {
  if (bytesCount <= answerBytesMax) return;
  throw new Error(`the answer is longer than ${answerBytesMax} bytes, which no node's is`);
}
