import { once } from "node:events";
import { createServer } from "node:net";

/** A `host:port` of this machine where nobody listens yet. */
export async function freeAddress(): Promise<string> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" ? `127.0.0.1:${address?.port}` : "";
}

export function portOf(address: string): string {
  return address.slice(address.lastIndexOf(":") + 1);
}
