import type { PeerMessage, RecordDigests } from "../gen/headwater/v1/fanout_pb.ts";
import type {
  ConfirmRequest,
  GiveBackRequest,
  ReplicateRequest,
} from "../gen/headwater/v1/mesh_pb.ts";
import type { Document } from "../gen/headwater/v1/telemetry_pb.ts";
import type { CallId, LinkId } from "./event.ts";
import type { FlagTableChange } from "./layers/flag-table.ts";
import type { Outcome } from "./refusal.ts";

/**
 * All that a node can ask of the world.
 *
 * The law, stated here and nowhere else: effects are carried out in their order, and `persist` is
 * always the last of a step. Its outcome is the next event; only the step for `persisted` returns
 * what depends on it. So nothing is sent, published, answered or exposed before it is durable.
 */
export type Effect =
  | { readonly kind: "persist"; readonly writes: readonly Write[] }
  | { readonly kind: "answer"; readonly call: CallId; readonly outcome: Outcome<unknown> }
  /** A `ReplicateResponse`, encoded once for all who get it. */
  | { readonly kind: "send"; readonly link: LinkId; readonly frame: Uint8Array }
  /** End the stream, after what was sent. */
  | { readonly kind: "close"; readonly link: LinkId }
  | { readonly kind: "dial"; readonly dial: Dial }
  | { readonly kind: "hang-up"; readonly upstream: string }
  | {
      readonly kind: "submit-document";
      readonly upstream: string;
      readonly document: Document;
    }
  /** What is durable here now; best effort. */
  | { readonly kind: "confirm"; readonly upstream: string; readonly request: ConfirmRequest }
  /** In this order, one after the other; the rest is left out after one that is not taken. */
  | {
      readonly kind: "give-back";
      readonly upstream: string;
      readonly requests: readonly GiveBackRequest[];
    }
  /** To every other node of the site. */
  | { readonly kind: "publish"; readonly message: PeerMessage }
  /** To any one other node of the site; answers come as `peer-spoke`. */
  | { readonly kind: "ask-peer"; readonly ask: PeerAskBody }
  /** Effective flags of a project have changed, or how fresh they are. */
  | { readonly kind: "expose"; readonly exposure: Exposure }
  | { readonly kind: "log"; readonly entry: LogEntry };

export interface PeerAskBody {
  /** Digest over what the site's operator discloses. */
  readonly consents?: Uint8Array;
  readonly holdings: ReplicateRequest["holdings"];
  /** Digest over the children that the site has; absent for none. */
  readonly children?: Uint8Array;
  /** What of documents, rollouts and trials is held. */
  readonly records?: RecordDigests;
}

/** Durable records are bytes under a bucket and a key; a write without a value deletes. */
export interface Write {
  readonly bucket: Bucket;
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

const buckets = [
  "node",
  "pin",
  "late",
  "trust",
  "key",
  "head",
  "beat",
  "entry",
  "history",
  "upstream",
  "child",
  "token",
  "disclosure",
  "window",
  "received",
  "trial",
  "crash",
  "census-enrollment",
  "census-evidence",
  "census-child",
  "rollout",
  "decision",
  "sent",
  "sample",
  "audit",
] as const;

export type Bucket = (typeof buckets)[number];

/** Buckets that only ever grow at the end, are read on demand, and are cut to a length. */
export const logBuckets = [
  "sent",
  "sample",
  "audit",
  "decision",
] as const satisfies readonly Bucket[];

export interface Dial {
  /** The upstream's id. */
  readonly upstream: string;
  /** `host:port`. */
  readonly address: string;
  /** The parent's certificate authority, DER; absent: the one of the configuration. */
  readonly certificate: Uint8Array | undefined;
  /** The bearer credential, an encoded `Envelope`; absent: the client certificate has to do. */
  readonly credential: Uint8Array | undefined;
  readonly request: ReplicateRequest;
}

export interface Exposure {
  readonly project: string;
  /** The flags that changed, for each release whose table somebody has asked for. */
  readonly changes: readonly FlagTableChange[];
  /** Releases or aliases changed: what a version is taken for may be another release now. */
  readonly vocabulary: boolean;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** One line per business event; `fields` never hold a secret. */
export interface LogEntry {
  readonly level: LogLevel;
  /** Closed and short, like `ledger-advanced`: what metrics and searches go by. */
  readonly event: string;
  readonly message: string;
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
}

export function logged(level: LogLevel, event: string, message: string): Effect {
  return { kind: "log", entry: { level, event, message } };
}

/** An answer with an outcome, or with the value of one that is good. */
export function answered(call: CallId, outcome: unknown): Effect {
  return {
    kind: "answer",
    call,
    outcome: isOutcome(outcome) ? outcome : { ok: true, value: outcome },
  };
}

function isOutcome(value: unknown): value is Outcome<unknown> {
  return typeof value === "object" && value !== null && "ok" in value;
}
