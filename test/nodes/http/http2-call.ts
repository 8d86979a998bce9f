import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type SecureClientSessionOptions,
} from "node:http2";

/** An HTTP/2 connection by prior knowledge, or over TLS. */
export async function openHttp2(
  url: string,
  options: SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const session = connect(url, options);
  // Tests look at the end of a session, however it came.
  session.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => {
    session.once("connect", () => resolve()).once("error", reject);
  });
  return session;
}

export async function bodyOf(stream: ClientHttp2Stream): Promise<string> {
  stream.setEncoding("utf8");
  let body = "";
  for await (const chunk of stream) body += String(chunk);
  return body;
}
