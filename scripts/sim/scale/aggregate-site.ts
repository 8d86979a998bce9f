import { create, fromBinary } from "@bufbuild/protobuf";
import { HeadSchema, type LedgerName, type Position } from "../../../gen/headwater/v1/ledger_pb.ts";
import {
  type ReplicateRequest,
  ReplicateRequestSchema,
  type ReplicateResponse,
  ReplicateResponseSchema,
} from "../../../gen/headwater/v1/mesh_pb.ts";
import type { LinkId } from "../../../relay/event.ts";
import { Backoff } from "../../../relay/link/backoff.ts";
import { protocolVersion } from "../../../relay/link/protocol.ts";
import type { Random } from "../../../relay/random.ts";

/** What sites ask for. */
export interface AskedLedger {
  readonly name: LedgerName;
  readonly trustDigest: Uint8Array;
}

/** A site of which only its link counts: it takes what it gets, and holds the position of it. */
export class AggregateSite {
  readonly vendor: number;
  readonly backoff: Backoff;
  link: LinkId | undefined;
  /** What it holds. */
  position: Position | undefined;
  /** When the last change was durable there. */
  arrivedAtMs: number = Number.NaN;
  /** When it last heard that it has all that there is. */
  currentAtMs: number = Number.NaN;

  constructor(vendor: number, random: Random) {
    this.vendor = vendor;
    this.backoff = new Backoff(random);
  }

  /** What it dials with. */
  request(at: number, ledger: AskedLedger | undefined): ReplicateRequest {
    const { position } = this;
    return create(ReplicateRequestSchema, {
      protocol: protocolVersion,
      site: `site-${at}`,
      node: "n1",
      nodeId: Buffer.from(`s${at}`.padEnd(8, ".")),
      holdings: [
        {
          ...(ledger && { ledger: ledger.name }),
          ...(position && { position }),
          trustDigest: (position && ledger?.trustDigest) ?? new Uint8Array(0),
        },
      ],
    });
  }

  /** @param durableAtMs when what the frame brings is on its disk */
  take(frame: DecodedFrame, durableAtMs: number): void {
    if (frame.isAll) this.currentAtMs = durableAtMs;
    if (!frame.isChange) return;
    this.backoff.reset();
    this.position = frame.position;
    this.arrivedAtMs = durableAtMs;
  }
}

/** What a frame says to a site. */
interface DecodedFrame {
  /** With it the site has all that there is. */
  readonly isAll: boolean;
  /** It brings a head, of this position. */
  readonly isChange: boolean;
  readonly position: Position | undefined;
}

/** Frames as sites read them: vendors send the same bytes to many, which are decoded once. */
export class FrameReader {
  readonly #frames = new WeakMap<Uint8Array, ReplicateResponse["frame"]>();
  readonly #positions = new WeakMap<Uint8Array, Position>();

  read(bytes: Uint8Array): DecodedFrame {
    const frame = this.#decode(bytes);
    const resumes = frame.case === "offer" && frame.value.outcome === "RESUME";
    const head =
      frame.case === "delta" || frame.case === "snapshotBegin" ? frame.value.head : undefined;
    return {
      isAll: resumes || frame.case === "snapshotEnd",
      isChange: head !== undefined,
      position: head && this.#positionOf(head.payload),
    };
  }

  #decode(bytes: Uint8Array): ReplicateResponse["frame"] {
    const known = this.#frames.get(bytes);
    if (known !== undefined) return known;
    const { frame } = fromBinary(ReplicateResponseSchema, new Uint8Array(bytes));
    this.#frames.set(bytes, frame);
    return frame;
  }

  #positionOf(payload: Uint8Array): Position | undefined {
    const known = this.#positions.get(payload);
    if (known !== undefined) return known;
    const { position } = fromBinary(HeadSchema, payload);
    if (position !== undefined) this.#positions.set(payload, position);
    return position;
  }
}
