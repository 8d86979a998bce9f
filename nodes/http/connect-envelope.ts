import { errorToJson } from "@connectrpc/connect/protocol-connect";
import { HeadwaterError, toConnect } from "../error.ts";

/** A byte of flags and four of length: https://connectrpc.com/docs/protocol/#streaming-rpcs. */
const headBytes = 5;
const plainFlags = 0;
const endFlags = 2;

/** A message as it stands in a stream of the Connect protocol. */
export function envelope(message: Uint8Array, flags: number = plainFlags): Buffer {
  const enveloped = Buffer.allocUnsafe(headBytes + message.length);
  enveloped.writeUInt8(flags, 0);
  enveloped.writeUInt32BE(message.length, 1);
  enveloped.set(message, headBytes);
  return enveloped;
}

/** The last envelope of a stream that ends because of this. */
export function errorEnvelope(thrown: unknown): Buffer {
  const error = toConnect(thrown);
  const metadata = Object.fromEntries([...error.metadata].map(([name, value]) => [name, [value]]));
  const end = { error: errorToJson(error, undefined), metadata };
  return envelope(Buffer.from(JSON.stringify(end)), endFlags);
}

/**
 * The one message of a request's body.
 * @throws HeadwaterError `invalid` when it is not exactly one, or is compressed
 */
export function onlyMessage(body: Buffer): Buffer {
  const problem = bodyProblem(body);
  if (problem === undefined) return body.subarray(headBytes);
  throw new HeadwaterError({ kind: "invalid", message: `body: ${problem}` });
}

function bodyProblem(body: Buffer): string | undefined {
  if (body.length < headBytes) return "no enveloped message";
  if (body.readUInt8(0) !== plainFlags) return "the message is compressed, or is none";
  const given = body.length - headBytes;
  const said = body.readUInt32BE(1);
  return said === given ? undefined : `a message of ${said} bytes, and ${given} follow`;
}
