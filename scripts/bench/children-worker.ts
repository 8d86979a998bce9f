// Many nodes downstream, as far as the wire goes: each has a connection and an identity of its own,
// speaks the real protocol and is sent what a real node is sent. They keep nothing and check nothing,
// so that hundreds of them fit beside the node that is measured.
import type { ClientHttp2Session } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { HeadSchema } from "../../gen/headwater/v1/ledger_pb.ts";
import {
  ConfirmRequestSchema,
  MeshService,
  ReplicateResponseSchema,
} from "../../gen/headwater/v1/mesh_pb.ts";
import type { ChildDial } from "./child-dial.ts";
import { DueCount } from "./due-count.ts";
import { GrpcMessages, grpcMessage } from "./grpc-messages.ts";
import { isDelta, meshCall, nodeName, openMeshSession, replicate } from "./mesh-session.ts";
import { serveVerbs } from "./worker.ts";

interface Dial extends ChildDial {
  /** The number of the first of them. */
  readonly first: number;
  readonly count: number;
  readonly project: string;
  /** Whether each confirms what it has been sent, as real ones do. */
  readonly confirms: boolean;
}

const deltas = new DueCount();
let lastDelta: Buffer = Buffer.alloc(0);

serveVerbs({
  dial: async (of: Dial): Promise<void> => {
    for (let n = of.first; n < of.first + of.count; n++) await dial(of, n);
  },
  hear: ({ dueCount }: { dueCount: number }): Promise<number> => deltas.hear(dueCount),
  /** Base64; one that was heard. */
  delta: (): string => lastDelta.toString("base64"),
});

/** Resolves with its first frame. */
async function dial(of: Dial, n: number): Promise<void> {
  const session = await openMeshSession(of.address, n);
  const node = nodeName(n);
  const stream = replicate(session, { ...of, n });
  const messages = new GrpcMessages();
  await new Promise<void>((resolve, reject) => {
    stream.once("error", reject);
    stream.on("data", (chunk: Buffer) => {
      for (const message of messages.take(chunk)) {
        resolve();
        if (!isDelta(message)) continue;
        lastDelta = message;
        deltas.add(1);
        if (of.confirms) confirm(session, of, { node, message });
      }
    });
  });
}

function confirm(
  session: ClientHttp2Session,
  of: Dial,
  { node, message }: { node: string; message: Buffer },
): void {
  const { frame } = fromBinary(ReplicateResponseSchema, message);
  const delta = frame.case === "delta" ? frame.value : undefined;
  const { ledger, position } = fromBinary(HeadSchema, delta?.head?.payload ?? new Uint8Array(0));
  const holdings = ledger && position ? [{ ledger, position }] : [];
  const request = create(ConfirmRequestSchema, { node, holdings });
  const stream = meshCall(session, of.authorization, MeshService.method.confirm.name);
  stream.end(grpcMessage(toBinary(ConfirmRequestSchema, request)));
  stream.resume();
}
