import { create, toBinary } from "@bufbuild/protobuf";
import { HistoryRecordSchema } from "../gen/headwater/v1/ledgers_pb.ts";
import { digits, put } from "./durable.ts";
import type { Effect, Write } from "./effect.ts";
import type { Event, OperatorEvent, Origin } from "./event.ts";
import { toHex } from "./trust/key.ts";

/** Where the audit keeps what is about no project; no project can have this name. */
const nodeSubject = "*";

/** What an operation is about, and what it does, in words without a secret. */
interface Deed {
  readonly project: string;
  /** As an entry's key: what kind of thing, and which. */
  readonly key: string;
  readonly says: string;
}

/** One record of an operation that changes no entry; those that do have one for each entry. */
export function operationAudit(event: Event & OperatorEvent): Write[] {
  if (isAuditedByEntry(event)) return [];
  const { project, key, says } = deedOf(event);
  const { wallMs } = event.at;
  const record = create(HistoryRecordSchema, {
    atMs: BigInt(Math.floor(wallMs)),
    key,
    says,
    ...(project !== nodeSubject && { ledger: { project } }),
    ...originOf(event),
  });
  const order = `${digits(wallMs, 15)}-${digits(event.call, 16)}`;
  return [put("audit", `${project}/${order}`, toBinary(HistoryRecordSchema, record))];
}

/** One line for each operation that was done: who, from where, what. */
export function operationLog(event: Event & OperatorEvent): Effect {
  const { project, key, says } = deedOf(event);
  const { actor, token = "", address = "", commit = "" } = originOf(event);
  const fields = {
    operation: event.kind,
    project,
    key,
    actor,
    ...(token !== "" && { with: token }),
    ...(address !== "" && { address }),
    ...(commit !== "" && { commit }),
  };
  const message = `${actor || "somebody"}: ${says}`;
  return { kind: "log", entry: { level: "info", event: "operated", message, fields } };
}

function isAuditedByEntry({ kind }: OperatorEvent): boolean {
  return kind === "commit" || kind === "update-trust" || kind === "promote";
}

function originOf(event: OperatorEvent): Origin {
  if (event.by !== undefined) return event.by;
  return { actor: "request" in event ? event.request.actor : "" };
}

function deedOf(event: OperatorEvent): Deed {
  switch (event.kind) {
    case "commit": {
      const { entries, tombstones } = event.request;
      const count = entries.length + tombstones.length;
      return ofLedger(event, `${count} ${count === 1 ? "entry" : "entries"} changed`);
    }
    case "update-trust":
      return ofLedger(event, "new roots and grants");
    case "promote":
      return ofLedger(event, `written here in term ${event.request.term}`);
    case "prepare-ledger":
      return { project: event.project, key: "ledger/keys", says: "keys for a new ledger" };
    case "create-ledger": {
      const says = event.overlay === true ? "an overlay begins" : "the project begins";
      return { project: event.project, key: "ledger/created", says };
    }
    case "add-child":
      return ofNode(`child/${event.name}`, `a join token for ${event.name}`);
    case "revoke-child":
      return ofNode(`child/${event.name}`, `${event.name} may not join any more`);
    case "join":
      return ofNode(`upstream/${event.token.site}`, `joined ${event.token.site}`);
    case "set-disclosure": {
      const whom = event.upstream === "" ? "every upstream" : event.upstream;
      return ofNode(`disclosure/${event.upstream || nodeSubject}`, `${event.level} to ${whom}`);
    }
    case "set-enrollment": {
      const says = event.isEnrolled ? "takes part in censuses" : "takes no part in censuses";
      return { project: event.project, key: "census/enrollment", says };
    }
    case "start-rollout":
    case "change-rollout": {
      const says =
        event.kind === "start-rollout" ? "a rollout begins" : `${event.action} its rollout`;
      return { project: event.project, key: `rollout/${event.flag}`, says };
    }
    case "add-token": {
      const says = `a token for ${event.scopes.join(", ")}`;
      return ofNode(`token/${event.name}`, says);
    }
    case "revoke-token":
      return ofNode(`token/${event.name}`, "the token is revoked");
  }
}

function ofNode(key: string, says: string): Deed {
  return { project: nodeSubject, key, says };
}

function ofLedger(
  event: Extract<OperatorEvent, { kind: "commit" | "update-trust" | "promote" }>,
  says: string,
): Deed {
  const { ledger } = event.request;
  const authority = toHex(ledger?.authority ?? new Uint8Array(0)).slice(0, 16);
  return { project: ledger?.project ?? "", key: `ledger/${authority}`, says };
}
