import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { headers, type Msg, type NatsConnection } from "nats";
import {
  PeerAnswerSchema,
  PeerAskSchema,
  type PeerMessage,
  PeerMessageSchema,
  SignOfLifeSchema,
  UnreportedSchema,
} from "../../../gen/headwater/v1/fanout_pb.ts";
import { ReplicateResponseSchema } from "../../../gen/headwater/v1/mesh_pb.ts";
import { DropLog } from "../../../nodes/fanout/drop-log.ts";
import { PeerSession } from "../../../nodes/fanout/peer-session.ts";
import { siteSubjects } from "../../../nodes/fanout/site-subjects.ts";
import { payloadType, seal } from "../../../relay/trust/envelope.ts";
import { reportOf } from "../../relay/telemetry/fixture.ts";
import { renewedEvery } from "../busy-node.ts";
import { assertTrusted, mesh, project, signature, siteKey, upstream } from "../honest-mesh.ts";
import { FuzzAccess } from "../node-access.ts";
import { Broken, type Target, type Verdict } from "../target.ts";
import { encodeWire, type WireField } from "../wire-tree.ts";
import { unbundled } from "./frames.ts";

type Callback = (error: null, msg: Msg) => void;

/** Hands a session its messages, as the client of NATS does; what it sends goes nowhere. */
class FakeConnection {
  readonly callbacks: Callback[] = [];
  readonly info: { max_payload: number } = { max_payload: 1_000_000 };

  subscribe(_: string, { callback }: { callback: Callback }): void {
    this.callbacks.push(callback);
  }

  publish(): void {}

  async flush(): Promise<void> {}

  isClosed(): boolean {
    return false;
  }

  isDraining(): boolean {
    return false;
  }

  async *status(): AsyncGenerator<never> {}
}

const subjects = siteSubjects(siteKey.publicKey);
const ledger = { authority: upstream.id, project };

function said(body: PeerMessage["body"]): PeerMessage {
  const message = create(PeerMessageSchema, { node: "n2" });
  message.body = body;
  return message;
}

const words: readonly PeerMessage[] = [
  said({
    case: "alive",
    value: create(SignOfLifeSchema, { writes: [ledger], meshAddress: "n2:7701" }),
  }),
  said({
    case: "report",
    value: reportOf({ instance: "p-1", on: ["alpha"], crashes: [signature] }),
  }),
  said({ case: "unreported", value: create(UnreportedSchema, { project }) }),
  said({
    case: "pins",
    value: seal({ type: payloadType.sitePins, payload: new Uint8Array(0), keys: [siteKey] }),
  }),
  ...mesh.frames.map((frame) =>
    said({ case: "frame", value: fromBinary(ReplicateResponseSchema, frame) }),
  ),
];
const ask = toBinary(
  PeerAskSchema,
  create(PeerAskSchema, {
    node: "n2",
    holdings: [{ ledger, position: { term: 1, seq: 1, digest: new Uint8Array(32) } }],
    childrenDigest: new Uint8Array(32),
    consentsDigest: new Uint8Array(32),
    records: { sent: new Uint8Array(9), received: new Uint8Array(9), trials: new Uint8Array(9) },
  }),
);

/** Fields of an input, by what they are: on which subject, or the header of the next one. */
const field = { frames: 1, answers: 2, ask: 3, header: 4 };

function onSubject(number: number, bytes: Uint8Array): WireField {
  return { field: number, value: { kind: "bytes", bytes } };
}

const headerSeeds = ["abc 1 0 2", "abc 1 1 2", "x 0 0 1", "x -1 NaN 1e9"];

/** Messages of NATS, by whoever has got into a site's NATS. */
export const peers: Target = {
  name: "NATS messages",
  form: "wire",
  share: 5,
  seeds: () => [
    ...words.map((one) => encodeWire([onSubject(field.frames, toBinary(PeerMessageSchema, one))])),
    encodeWire([
      onSubject(
        field.answers,
        toBinary(PeerAnswerSchema, create(PeerAnswerSchema, { messages: [...words], last: true })),
      ),
    ]),
    encodeWire([onSubject(field.ask, ask)]),
    encodeWire(
      headerSeeds.flatMap((header, n) => [
        onSubject(field.header, Buffer.from(header)),
        onSubject(field.frames, toBinary(PeerMessageSchema, words[n]!)),
      ]),
    ),
  ],
  open: () => {
    const nodeNow = renewedEvery(64);
    let open: { access: FuzzAccess; connection: FakeConnection; problems: string[] } | undefined;
    return async (input): Promise<Verdict> => {
      const node = nodeNow();
      if (open?.access.node !== node) open = opened(new FuzzAccess(node));
      const { access, connection, problems } = open;
      let header = "";
      for (const { field: number, bytes } of unbundled(input)) {
        if (number === field.header) header = Buffer.from(bytes).toString("latin1");
        else connection.callbacks[number - 1]?.(null, messageOf(bytes, header));
      }
      await new Promise((resolve) => setImmediate(resolve));
      if (access.thrown !== undefined) throw access.thrown;
      const [problem] = problems;
      if (problem !== undefined) throw new Broken(`a session that could not go on: ${problem}`);
      assertTrusted(node);
      return "accepted";
    };
  },
};

function opened(access: FuzzAccess) {
  const connection = new FakeConnection();
  const problems: string[] = [];
  const drops = new DropLog(({ fields }) => {
    if (String(fields?.["reason"]).startsWith("not-")) problems.push(JSON.stringify(fields));
  });
  new PeerSession({
    connection: connection as unknown as NatsConnection,
    subjects,
    node: "n1",
    access,
    drops,
    onProblem: () => {},
  });
  access.tell({ kind: "fanout-changed", connected: true, problem: "" });
  return { access, connection, problems };
}

function messageOf(data: Uint8Array, header: string): Msg {
  const made = headers();
  if (header !== "") made.set("Headwater-Part", header.replace(/[^\x20-\x7e]/g, "?"));
  return { data, reply: "_INBOX.x", ...(header !== "" && { headers: made }) } as unknown as Msg;
}
