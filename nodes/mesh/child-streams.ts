import type { ServerWritableStream } from "@grpc/grpc-js";
import type { ReplicateRequest } from "../../gen/headwater/v1/mesh_pb.ts";
import { heartbeatIntervalMs } from "../../relay/cadence.ts";
import type { Flushed, LinkId } from "../../relay/event.ts";
import type { NodeAccess } from "../access.ts";
import { HeadwaterError } from "../error.ts";
import { callError } from "./call-error.ts";
import { peerOf } from "./peer.ts";

type Call = ServerWritableStream<ReplicateRequest, Uint8Array>;

interface ChildStream {
  readonly call: Call;
  /** Known only while the connection is there. */
  readonly peer: string;
  lingering: NodeJS.Timeout | undefined;
}

/** How long a child may take for the end of its stream: as long as it waits for a heartbeat. */
const lingerMs = heartbeatIntervalMs;

/** The open `Replicate` calls of children, by link. */
export class ChildStreams {
  readonly #access: Pick<NodeAccess, "tell">;
  readonly #destroyConnection: (peer: string) => void;
  readonly #childrenMax: number;
  readonly #streams = new Map<LinkId, ChildStream>();
  /** What was flushed on each link and the node has not been told of. */
  readonly #flushed = new Map<LinkId, Flushed>();
  #linksCount = 0;

  constructor(of: {
    readonly access: Pick<NodeAccess, "tell">;
    /** Ends a connection, whatever its peer does. */
    readonly destroyConnection: (peer: string) => void;
    readonly childrenMax: number;
  }) {
    this.#access = of.access;
    this.#destroyConnection = of.destroyConnection;
    this.#childrenMax = of.childrenMax;
  }

  open(call: Call): void {
    // Later there will be nobody to tell that it has closed.
    if (call.cancelled) return;
    if (this.#streams.size >= this.#childrenMax) {
      call.emit("error", tooManyChildren(this.#childrenMax));
      return;
    }
    const link = ++this.#linksCount;
    this.#streams.set(link, {
      call,
      peer: call.getPeer(),
      lingering: undefined,
    });
    // A cancelled call may show itself by any of these (grpc-node issue 2583).
    for (const event of ["cancelled", "close", "error"]) call.on(event, () => this.#closed(link));
    this.#access.tell({ kind: "child-opened", link, peer: peerOf(call), request: call.request });
  }

  /** A `ReplicateResponse`, encoded; nothing when the link has closed meanwhile. */
  send(link: LinkId, frame: Uint8Array): void {
    const stream = this.#streams.get(link);
    if (stream === undefined || stream.lingering !== undefined) return;
    stream.call.write(frame, () => this.#noteFlushed(link, frame.length));
  }

  /** Ends the stream after what was sent. */
  close(link: LinkId): void {
    this.#end(link, (call) => call.end());
  }

  /** Ends all streams with this error, each after what was sent. */
  closeAll(error: HeadwaterError): void {
    for (const link of this.#streams.keys())
      this.#end(link, (call) => call.emit("error", callError(error)));
  }

  #end(link: LinkId, how: (call: Call) => void): void {
    const stream = this.#streams.get(link);
    if (stream === undefined || stream.lingering !== undefined) return;
    // A stalled peer never takes the end, and grpc-js has no way to reset its stream.
    stream.lingering = setTimeout(() => this.#destroyConnection(stream.peer), lingerMs).unref();
    how(stream.call);
  }

  #closed(link: LinkId): void {
    const stream = this.#streams.get(link);
    if (stream === undefined) return;
    clearTimeout(stream.lingering);
    this.#streams.delete(link);
    this.#flushed.delete(link);
    this.#access.tell({ kind: "child-closed", link });
  }

  /** Frames of many links are flushed in one turn of the event loop: one event for all of them. */
  #noteFlushed(link: LinkId, bytes: number): void {
    if (!this.#streams.has(link)) return;
    if (this.#flushed.size === 0) setImmediate(() => this.#tellFlushed());
    const known = this.#flushed.get(link) ?? { link, framesCount: 0, bytes: 0 };
    const framesCount = known.framesCount + 1;
    this.#flushed.set(link, { link, framesCount, bytes: known.bytes + bytes });
  }

  #tellFlushed(): void {
    const flushed = [...this.#flushed.values()];
    this.#flushed.clear();
    if (flushed.length > 0) this.#access.tell({ kind: "children-flushed", flushed });
  }
}

function tooManyChildren(childrenMax: number): ReturnType<typeof callError> {
  const message = `this node takes no more than ${childrenMax} children at once`;
  return callError(new HeadwaterError({ kind: "limit", message }));
}
