// Many nodes downstream, as far as the wire goes, that are dropped and come again all at once.
import type { ClientHttp2Session } from "node:http2";
import { fromBinary } from "@bufbuild/protobuf";
import { type Envelope, HeadSchema, type Position } from "../../gen/headwater/v1/ledger_pb.ts";
import { ReplicateResponseSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import type { ChildDial } from "./child-dial.ts";
import { Crowd, type Reconnected, untilLetIn } from "./crowd.ts";
import { GrpcMessages } from "./grpc-messages.ts";
import { isSnapshotChunk, openMeshSession, replicate } from "./mesh-session.ts";
import { serveVerbs } from "./worker.ts";

interface Dial extends ChildDial {
  readonly count: number;
  readonly project: string;
  /** They have lost all that they had. */
  readonly isNew?: boolean;
}

const crowd = new Crowd();
const sessions = new Set<ClientHttp2Session>();

/** Of the newest head that one of them has heard of. */
let position: Position | undefined;

serveVerbs({
  connect: (of: Dial): Promise<void> => crowd.connect(of.count, (n) => dial(of, { n })),
  drop: (): void => {
    const all = [...sessions];
    sessions.clear();
    for (const session of all) session.destroy();
  },
  /** From where they stood. */
  reconnect: (of: Dial): Promise<Reconnected> => {
    const held = of.isNew ? undefined : position;
    return crowd.reconnect(of.count, (n) => dial(of, { n, ...(held && { position: held }) }));
  },
  fresh: (of: { count: number }): Promise<number> => crowd.fresh(of),
  look: (of: { text: string }): void => crowd.look(of),
  sight: (of: { count: number }): Promise<number> => crowd.sight(of),
});

/** Once it has been let in it comes again by itself, unless it is dropped. */
async function dial(
  of: Dial,
  from: { n: number; position?: Position },
): Promise<number | undefined> {
  const session = await openMeshSession(of.address, from.n).catch(() => undefined);
  if (session === undefined) return undefined;
  session
    .on("error", () => undefined)
    .once("close", () => {
      if (sessions.delete(session)) void untilLetIn(() => dial(of, from));
    });
  const stream = replicate(session, { ...of, ...from });
  const messages = new GrpcMessages();
  let bytesCount = 0;
  let hasSight = false;
  const whole = new Promise<number | undefined>((resolve) => {
    stream
      .on("error", () => undefined)
      .once("close", () => {
        resolve(undefined);
        session.destroy();
      });
    stream.on("data", (chunk: Buffer) => {
      bytesCount += chunk.length;
      for (const message of messages.take(chunk)) {
        hasSight ||= crowd.isSight(message);
        if (!isLast(message)) continue;
        if (hasSight) crowd.sighted(from.n);
        hasSight = false;
        sessions.add(session);
        resolve(bytesCount);
      }
    });
  });
  return whole;
}

/** Whether what came up to this can be taken by a node, and is all that there was. */
function isLast(message: Buffer): boolean {
  if (isSnapshotChunk(message)) return false;
  const { frame } = fromBinary(ReplicateResponseSchema, message);
  if (frame.case === "snapshotBegin" || frame.case === "delta") note(frame.value.head);
  return frame.case === "snapshotEnd" || frame.case === "delta";
}

function note(head: Envelope | undefined): void {
  position = fromBinary(HeadSchema, head?.payload ?? new Uint8Array(0)).position;
}
