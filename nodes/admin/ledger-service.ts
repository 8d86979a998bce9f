import { randomBytes } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  type CommitResponseSchema,
  type CreateLedgerResponseSchema,
  HistoryRecordSchema,
  type LedgerService,
  type PrepareLedgerResponseSchema,
  type PromoteResponseSchema,
  type UpdateTrustResponseSchema,
} from "../../gen/headwater/v1/ledgers_pb.ts";
import { actorLengthMax, auditRecordsMax } from "../../relay/limits.ts";
import { keyBytes } from "../../relay/trust/key.ts";
import type { NodeAccess } from "../access.ts";
import { HeadwaterError } from "../error.ts";
import { remoteAddressOf } from "../http/connect.ts";
import { outcomeValue } from "./outcome-value.ts";
import { listRecords } from "./record-list.ts";

/** Ledgers, for operators. */
export function ledgerService(access: NodeAccess): ServiceImpl<typeof LedgerService> {
  return {
    prepareLedger: ({ project, overlay }) =>
      access.ask<MessageInitShape<typeof PrepareLedgerResponseSchema>>((call) => ({
        kind: "prepare-ledger",
        call,
        project,
        overlay,
        ledgerSeed: randomBytes(keyBytes),
        beatSeed: randomBytes(keyBytes),
      })),
    createLedger: ({ project, overlay, trust }) => {
      if (trust === undefined)
        throw new HeadwaterError({ kind: "invalid", message: "trust: missing" });
      return access.ask<MessageInitShape<typeof CreateLedgerResponseSchema>>((call) => ({
        kind: "create-ledger",
        call,
        project,
        overlay,
        trust,
      }));
    },
    getLedger: ({ project, authority }) =>
      outcomeValue(access.reads.ledger({ project, authority }, access.now().wallMs)),
    commit: (request, context) => {
      nameActor(request, context);
      return access.ask<MessageInitShape<typeof CommitResponseSchema>>((call) => ({
        kind: "commit",
        call,
        request,
      }));
    },
    getTrust: (request) => outcomeValue(access.reads.trust(request)),
    updateTrust: (request, context) => {
      nameActor(request, context);
      return access.ask<MessageInitShape<typeof UpdateTrustResponseSchema>>((call) => ({
        kind: "update-trust",
        call,
        request,
      }));
    },
    promote: (request, context) => {
      nameActor(request, context);
      return access.ask<MessageInitShape<typeof PromoteResponseSchema>>((call) => ({
        kind: "promote",
        call,
        request,
      }));
    },
    listHistory: ({ project, key, limit }) => ({
      records: listRecords({
        access,
        bucket: "audit",
        schema: HistoryRecordSchema,
        project,
        limit,
        where:
          key === ""
            ? undefined
            : { matches: (record) => record.key === key, among: auditRecordsMax },
      }),
    }),
  };
}

/** For the audit: who says so, else the address that it came from. */
function nameActor(request: { actor: string }, context: HandlerContext): void {
  request.actor ||= remoteAddressOf(context);
  if (request.actor.length <= actorLengthMax) return;
  const message = `actor: ${request.actor.length} characters; at most ${actorLengthMax} are allowed`;
  throw new HeadwaterError({ kind: "invalid", message });
}
