import { create } from "@bufbuild/protobuf";
import { connect, type NatsConnection } from "nats";
import { expect, onTestFinished } from "vitest";
import { type PeerMessage, PeerMessageSchema } from "../../../gen/headwater/v1/fanout_pb.ts";
import { parseNatsUrl } from "../../../nodes/config/nats-address.ts";
import type { Fanout } from "../../../nodes/fanout/fanout.ts";
import { type NatsFanoutOptions, openNatsFanout } from "../../../nodes/fanout/nats.ts";
import type { LogEntry } from "../../../relay/effect.ts";
import { eventually } from "./eventually.ts";
import { FakeAccess } from "./fake-access.ts";
import type { NatsServer } from "./nats-server.ts";

export const siteKey: Uint8Array = new Uint8Array(32).fill(1);

/** A node of a site, as far as its fan-out knows it. */
export interface Peer {
  readonly fanout: Fanout;
  readonly access: FakeAccess;
  readonly log: LogEntry[];
}

interface PeerOptions extends Partial<Pick<NatsFanoutOptions, "siteKey" | "readSecrets">> {
  readonly url?: string;
}

/** Not yet connected. */
export function openPeer(
  server: NatsServer,
  node: string,
  { url = server.url(), ...options }: PeerOptions = {},
): Peer {
  const address = parseNatsUrl(url);
  if ("problem" in address) throw new Error(address.problem);
  const access = new FakeAccess();
  const log: LogEntry[] = [];
  const fanout = openNatsFanout({
    access,
    address,
    siteKey,
    node,
    log: (entry) => log.push(entry),
    ...options,
  });
  onTestFinished(() => fanout.close());
  return { fanout, access, log };
}

/** Resolves once what others publish reaches it. */
export async function connectedPeer(
  server: NatsServer,
  node: string,
  options: PeerOptions = {},
): Promise<Peer> {
  const peer = openPeer(server, node, options);
  await connected(peer);
  return peer;
}

export async function connected({ access }: Peer): Promise<void> {
  await eventually(() => expect(access.state).toEqual({ connected: true, problem: "" }));
}

/** Somebody else who uses the same NATS. */
export async function stranger(server: NatsServer): Promise<NatsConnection> {
  const connection = await connect({ servers: server.url().replace("nats://", "") });
  onTestFinished(() => connection.close());
  return connection;
}

/** A message with a word in it, and bytes besides. */
export function saying(node: string, word: string, bytes = 0): PeerMessage {
  const payload = new Uint8Array(bytes).fill(word.length);
  return create(PeerMessageSchema, {
    node,
    body: { case: "pins", value: { payloadType: word, payload } },
  });
}

/** Who said what to this peer, in order. */
export function words({ access }: Peer): string[] {
  return access.spoken.map(({ node, body }) =>
    body.case === "pins" ? `${node} ${body.value.payloadType}` : node,
  );
}

/** Why messages were dropped, a word for each line of the log. */
export function reasons({ log }: Peer): unknown[] {
  return log.map(({ fields }) => fields?.["reason"]);
}
