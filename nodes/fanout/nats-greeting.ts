import { once } from "node:events";
import { connect } from "node:net";
import { ErrorCode, NatsError } from "nats";
import { dialDeadlineMs } from "../../relay/cadence.ts";

/** What a server says first: `INFO` and what it is (https://docs.nats.io, "NATS Protocol"). */
const greeting = "INFO ";

/**
 * Those of the servers that are there and greet. The client is shown no others: where one takes the
 * connection and says nothing it gives up, but keeps the socket for good, and the process with it.
 * @throws what the first is not used for, when there is none; at once when it is aborted
 */
export async function greetingServers(
  servers: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const outcomes = await Promise.allSettled(servers.map((server) => hearGreeting(server, signal)));
  const there = servers.filter((_, index) => outcomes[index]?.status === "fulfilled");
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (there.length === 0 && failed !== undefined) throw failed.reason;
  return there;
}

async function hearGreeting(server: string, closing: AbortSignal): Promise<void> {
  const { hostname, port } = new URL(`nats://${server}`);
  const late = AbortSignal.timeout(dialDeadlineMs);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) });
  socket.once("end", () => socket.destroy(new Error("it hangs up before it has greeted")));
  try {
    const [bytes] = await once(socket, "data", { signal: AbortSignal.any([closing, late]) });
    const said = (bytes as Buffer).toString("latin1", 0, greeting.length);
    if (!greeting.startsWith(said)) throw new Error("what listens there is no NATS server");
  } catch (error) {
    throw late.aborted ? NatsError.errorForCode(ErrorCode.Timeout) : error;
  } finally {
    socket.destroy();
  }
}
