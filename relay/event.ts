import type { ReportRequest } from "../gen/headwater/v1/apps_pb.ts";
import type { PeerAsk, PeerMessage } from "../gen/headwater/v1/fanout_pb.ts";
import type { Envelope, Trust } from "../gen/headwater/v1/ledger_pb.ts";
import type {
  CommitRequest,
  PromoteRequest,
  UpdateTrustRequest,
} from "../gen/headwater/v1/ledgers_pb.ts";
import type {
  ConfirmRequest,
  GiveBackRequest,
  JoinToken,
  ReplicateRequest,
  ReplicateResponse,
} from "../gen/headwater/v1/mesh_pb.ts";
import type { RolloutPlan } from "../gen/headwater/v1/rollouts_pb.ts";
import type { Document } from "../gen/headwater/v1/telemetry_pb.ts";
import type { RolloutAction } from "./rollout/action.ts";
import type { DisclosureLevel } from "./telemetry/disclosure/level.ts";

/** When something happened: the wall clock and one that never goes back, both in milliseconds. */
export interface Moment {
  readonly wallMs: number;
  readonly monoMs: number;
}

/** Names the driver gives out, so that an answer finds its way back. */
export type CallId = number;
export type LinkId = number;

/** What the transport of one link has taken of what was sent on it. */
export interface Flushed {
  readonly link: LinkId;
  readonly framesCount: number;
  readonly bytes: number;
}

/** Who is at the other end of a link from below: the bearer credential, or a checked certificate. */
export type Peer =
  | { readonly by: "credential"; readonly credential: Envelope | undefined }
  | {
      readonly by: "certificate";
      readonly name: string;
      /** When it was issued, milliseconds since 1970; unknown is long ago. */
      readonly issuedMs?: number | undefined;
    };

/** Who asked for something, for the audit. It stays at this node. */
export interface Origin {
  /** What they call themselves, or the upstream that it came from. */
  readonly actor: string;
  /** The name of the token that was shown. */
  readonly token?: string;
  readonly address?: string;
  /** Of the repository that the change is kept in. */
  readonly commit?: string;
}

/** All that can happen to a node. Closed: nothing else crosses into the core. */
export type Event = { readonly at: Moment } & (
  | TimeEvent
  | StoreEvent
  | OperatorEvent
  | DownstreamEvent
  | UpstreamEvent
  | SiteEvent
  | AppEvent
);

/** The events of one kind, or of a few. */
export type EventOf<K extends Event["kind"]> = Extract<Event, { kind: K }>;

type TimeEvent =
  /** Sent at `Node.wakeAtMonoMs`, or whenever. */
  | { readonly kind: "tick" }
  /** Nothing more comes from apps or children; the node still may speak to others. */
  | { readonly kind: "stopping" };

/** What became of a `persist`: always the very next event after it. */
type StoreEvent =
  | { readonly kind: "persisted" }
  | { readonly kind: "persist-failed"; readonly why: string };

/** Each is answered by one `answer` with its call. */
export type OperatorEvent = { readonly by?: Origin } & OperatorAsk;

type OperatorAsk =
  | {
      readonly kind: "prepare-ledger";
      readonly call: CallId;
      readonly project: string;
      /** An overlay of a project that is held, instead of a new project. */
      readonly overlay?: boolean;
      /** 32 random bytes each. */
      readonly ledgerSeed: Uint8Array;
      readonly beatSeed: Uint8Array;
      /** The public half of a ledger key that is kept elsewhere, in the place of the seed. */
      readonly ledgerKey?: Uint8Array | undefined;
    }
  | {
      readonly kind: "create-ledger";
      readonly call: CallId;
      readonly project: string;
      readonly overlay?: boolean;
      readonly trust: Trust;
      /** The first head, where the ledger key is kept elsewhere. */
      readonly head?: Envelope | undefined;
    }
  | {
      readonly kind: "start-rollout";
      readonly call: CallId;
      readonly project: string;
      readonly flag: string;
      readonly plan: RolloutPlan;
    }
  | {
      readonly kind: "change-rollout";
      readonly call: CallId;
      readonly project: string;
      readonly flag: string;
      readonly action: RolloutAction;
    }
  | { readonly kind: "commit"; readonly call: CallId; readonly request: CommitRequest }
  | { readonly kind: "update-trust"; readonly call: CallId; readonly request: UpdateTrustRequest }
  | { readonly kind: "promote"; readonly call: CallId; readonly request: PromoteRequest }
  | {
      readonly kind: "add-child";
      readonly call: CallId;
      readonly name: string;
      readonly expiresMs: number;
      readonly projects: readonly string[];
      /** Where the token says that this site's nodes are, `host:port`. */
      readonly addresses: readonly string[];
      /** The authority of their certificates, DER; empty when the child has to know it by itself. */
      readonly certificate: Uint8Array;
      /** 16 random bytes. */
      readonly id: Uint8Array;
    }
  | {
      readonly kind: "add-token";
      readonly call: CallId;
      readonly name: string;
      /** SHA-256 of the token, which stays with whoever asked. */
      readonly digest: Uint8Array;
      readonly scopes: readonly string[];
      readonly expiresMs: number;
    }
  | { readonly kind: "revoke-token"; readonly call: CallId; readonly name: string }
  | {
      readonly kind: "revoke-child";
      readonly call: CallId;
      readonly name: string;
      /** Only the tokens before its newest. */
      readonly older?: boolean;
    }
  | { readonly kind: "join"; readonly call: CallId; readonly token: JoinToken }
  | {
      readonly kind: "set-enrollment";
      readonly call: CallId;
      readonly project: string;
      readonly isEnrolled: boolean;
      readonly withoutApps: boolean;
    }
  | {
      readonly kind: "set-disclosure";
      readonly call: CallId;
      readonly level: DisclosureLevel;
      readonly upstream: string;
    };

type DownstreamEvent =
  | {
      readonly kind: "child-opened";
      readonly link: LinkId;
      readonly peer: Peer;
      readonly request: ReplicateRequest;
    }
  /** The transport has taken frames that were sent: of each link at most one entry. */
  | { readonly kind: "children-flushed"; readonly flushed: readonly Flushed[] }
  | { readonly kind: "child-closed"; readonly link: LinkId }
  | {
      readonly kind: "child-confirmed";
      readonly call: CallId;
      readonly peer: Peer;
      readonly request: ConfirmRequest;
    }
  /** A frame of a ledger that the child holds more of than this node, which writes it. */
  | {
      readonly kind: "ledger-given-back";
      readonly call: CallId;
      readonly peer: Peer;
      readonly request: GiveBackRequest;
    }
  | {
      readonly kind: "document-received";
      readonly call: CallId;
      readonly peer: Peer;
      readonly document: Document;
    };

/** `upstream` is the id in `dial`. */
type UpstreamEvent =
  | {
      readonly kind: "upstream-frame";
      readonly upstream: string;
      readonly frame: ReplicateResponse;
    }
  | { readonly kind: "upstream-closed"; readonly upstream: string; readonly why: string }
  | {
      readonly kind: "document-answered";
      readonly upstream: string;
      readonly document: Document;
      /** What the parent answered, or why it could not. */
      readonly outcome: string;
    };

type SiteEvent =
  | { readonly kind: "peer-spoke"; readonly message: PeerMessage }
  | { readonly kind: "peer-asked"; readonly call: CallId; readonly ask: PeerAsk }
  | { readonly kind: "fanout-changed"; readonly connected: boolean; readonly problem: string };

type AppEvent =
  | { readonly kind: "report"; readonly call: CallId; readonly report: ReportRequest }
  /** An app asks for flags, and nothing is known of what it uses. */
  | { readonly kind: "app-unreported"; readonly project: string }
  | { readonly kind: "watch-opened"; readonly project: string; readonly version: string }
  | { readonly kind: "watch-closed"; readonly project: string; readonly version: string };
