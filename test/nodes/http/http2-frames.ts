/** What a client of HTTP/2 sends, frame by frame (RFC 9113), where Node's own would send other ones. */

const frameTypes = { data: 0, headers: 1, reset: 3, settings: 4, window: 8 } as const;
const endOfHeaders = 4;
const [connectionId, streamId] = [0, 1];
const cancel = 8;
const initialWindowSize = 4;
const wideBytes = 2 ** 30;

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

type Headers = Readonly<Record<string, string>>;

/** The preface, and the headers of a POST on the first stream, whose body is to follow. */
export function postFrames(path: string, headers: Headers): Buffer {
  return Buffer.concat([
    preface,
    frame("settings", { id: connectionId }),
    headersFrame(streamId, path, headers),
  ]);
}

/** The preface, and the headers of POSTs to these paths; flow control stops none of their answers. */
export function wideFrames(paths: readonly string[]): Buffer {
  const settings = Buffer.alloc(6);
  settings.writeUInt16BE(initialWindowSize, 0);
  settings.writeUInt32BE(wideBytes, 2);
  return Buffer.concat([
    preface,
    frame("settings", { id: connectionId, payload: settings }),
    frame("window", { id: connectionId, payload: settings.subarray(2) }),
    ...paths.map((path, n) => headersFrame(streamId + 2 * n, path, {})),
  ]);
}

function headersFrame(id: number, path: string, headers: Headers): Buffer {
  const fields = { ":method": "POST", ":path": path, ":scheme": "http", ":authority": "node" };
  const block = Object.entries({ ...fields, ...headers }).map(literal);
  return frame("headers", { id, flags: endOfHeaders, payload: Buffer.concat(block) });
}

export function dataFrame(payload: Buffer): Buffer {
  return frame("data", { id: streamId, payload });
}

export function resetFrame(): Buffer {
  return frame("reset", { id: streamId, payload: Buffer.from([0, 0, 0, cancel]) });
}

function frame(
  type: keyof typeof frameTypes,
  { id, flags = 0, payload = Buffer.alloc(0) }: { id: number; flags?: number; payload?: Buffer },
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(frameTypes[type], 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

/** A field that is not indexed (RFC 7541, 6.2.2); name and value are short. */
function literal([name, value]: [string, string]): Buffer {
  const texts = [name, value].flatMap((text) => [Buffer.from([text.length]), Buffer.from(text)]);
  return Buffer.concat([Buffer.from([0]), ...texts]);
}
