import { randomBytes } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  type CommitResponseSchema,
  type CreateLedgerResponseSchema,
  HistoryRecordSchema,
  type LedgerService,
  type PrepareLedgerResponseSchema,
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
      request.actor ||= remoteAddressOf(context);
      if (request.actor.length > actorLengthMax) {
        const message = `actor: ${request.actor.length} characters; at most ${actorLengthMax} are allowed`;
        throw new HeadwaterError({ kind: "invalid", message });
      }
      return access.ask<MessageInitShape<typeof CommitResponseSchema>>((call) => ({
        kind: "commit",
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
