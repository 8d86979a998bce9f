import { Code, ConnectError } from "@connectrpc/connect";
import type { Refusal } from "../relay/refusal.ts";

/** Closed: every failure that a person or a program meets is one of these. */
const errorKinds = [
  /** The request makes no sense; the message names the field. */
  "invalid",
  /** No such project, flag, child, file. */
  "unknown",
  /** It has changed meanwhile, or exists already. */
  "conflict",
  /** No key, grant or permission for it. */
  "forbidden",
  /** No credential, or a wrong one. */
  "unauthenticated",
  /** Past a bound. */
  "limit",
  /** Not now: the disk is full, nothing verified is held, the node is stopping. */
  "unavailable",
  /** The other side can not be reached, or does not answer in time. */
  "unreachable",
  /** A port, data directory or lock that somebody else holds. */
  "busy",
  /** Stored data that is not what it should be. */
  "damaged",
  /** Our own fault; details stay in the log. */
  "internal",
] as const;

export type ErrorKind = (typeof errorKinds)[number];

/** The one error of the edges: what happened, and what to do about it. */
export class HeadwaterError extends Error {
  override readonly name = "HeadwaterError";
  readonly kind: ErrorKind;
  readonly hint: string | undefined;

  constructor(of: {
    kind: ErrorKind;
    message: string;
    hint?: string | undefined;
    cause?: unknown;
  }) {
    super(of.message, of.cause === undefined ? {} : { cause: of.cause });
    this.kind = of.kind;
    this.hint = of.hint;
  }

  /** What happened and what to do, where there is one place for both. */
  get text(): string {
    return this.hint === undefined ? this.message : `${this.message}. ${this.hint}`;
  }

  /** The only way from whatever was thrown to an error that may be shown. */
  static from(thrown: unknown): HeadwaterError {
    if (thrown instanceof HeadwaterError) return thrown;
    if (thrown instanceof ConnectError) return fromConnect(thrown);
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new HeadwaterError({ kind: "internal", message, cause: thrown });
  }

  static refused(refusal: Refusal): HeadwaterError {
    return new HeadwaterError(refusal);
  }
}

/** Connect's codes are gRPC's, number for number. */
const codeOfKind: Readonly<Record<ErrorKind, Code>> = {
  invalid: Code.InvalidArgument,
  unknown: Code.NotFound,
  conflict: Code.Aborted,
  forbidden: Code.PermissionDenied,
  unauthenticated: Code.Unauthenticated,
  limit: Code.ResourceExhausted,
  unavailable: Code.Unavailable,
  unreachable: Code.DeadlineExceeded,
  busy: Code.FailedPrecondition,
  damaged: Code.DataLoss,
  internal: Code.Internal,
};

const hintHeader = "headwater-hint";

/** For the wire: the cause stays here, an internal error says only that it is one. */
export function toConnect(thrown: unknown): ConnectError {
  if (thrown instanceof ConnectError) return thrown;
  const { kind, message, hint } = HeadwaterError.from(thrown);
  const shown = kind === "internal" ? "internal error; the node's log has the details" : message;
  const metadata = hint === undefined ? undefined : { [hintHeader]: encodeURIComponent(hint) };
  return new ConnectError(shown, codeOfKind[kind], metadata);
}

function fromConnect(error: ConnectError): HeadwaterError {
  const kind = errorKinds.find((one) => codeOfKind[one] === error.code) ?? "internal";
  const header = error.metadata.get(hintHeader);
  return new HeadwaterError({
    kind: error.code === Code.Unavailable && header === null ? "unreachable" : kind,
    message: error.rawMessage,
    hint: header === null ? undefined : decoded(header),
    cause: error,
  });
}

/** Whoever answers may not be a node: what is no escaped text is shown as it is. */
function decoded(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}
