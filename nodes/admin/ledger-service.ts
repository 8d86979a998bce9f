import { randomBytes } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  type CommitRequest,
  type CommitResponseSchema,
  type CreateLedgerResponseSchema,
  HistoryRecordSchema,
  type LedgerService,
  type PrepareLedgerResponseSchema,
  type PromoteResponseSchema,
  type UpdateTrustResponseSchema,
} from "../../gen/headwater/v1/ledgers_pb.ts";
import { auditRecordsMax } from "../../relay/limits.ts";
import { bytesEqual, keyBytes } from "../../relay/trust/key.ts";
import type { NodeAccess } from "../access.ts";
import { HeadwaterError } from "../error.ts";
import { admittedKey, originOf } from "./call-origin.ts";
import { assertScope } from "./method-scope.ts";
import { outcomeValue } from "./outcome-value.ts";
import { listRecords } from "./record-list.ts";

/** Ledgers, for operators. */
export function ledgerService(access: NodeAccess): ServiceImpl<typeof LedgerService> {
  return {
    ...foundingCalls(access),
    getLedger: ({ project, authority }) =>
      outcomeValue(access.reads.ledger({ project, authority }, access.now().wallMs)),
    commit: (request, context) => {
      const by = originOf(context, request);
      assertMayWrite(access, request, context);
      return access.ask<MessageInitShape<typeof CommitResponseSchema>>((call) => ({
        kind: "commit",
        call,
        request,
        by,
      }));
    },
    getTrust: (request) => outcomeValue(access.reads.trust(request)),
    updateTrust: (request, context) => {
      const by = originOf(context, request);
      return access.ask<MessageInitShape<typeof UpdateTrustResponseSchema>>((call) => ({
        kind: "update-trust",
        call,
        request,
        by,
      }));
    },
    promote: (request, context) => {
      const by = originOf(context, request);
      return access.ask<MessageInitShape<typeof PromoteResponseSchema>>((call) => ({
        kind: "promote",
        call,
        request,
        by,
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

function foundingCalls(
  access: NodeAccess,
): Pick<ServiceImpl<typeof LedgerService>, "prepareLedger" | "createLedger"> {
  return {
    prepareLedger: ({ project, overlay, ledgerKey }, context) =>
      access.ask<MessageInitShape<typeof PrepareLedgerResponseSchema>>((call) => ({
        kind: "prepare-ledger",
        call,
        project,
        overlay,
        ledgerSeed: randomBytes(keyBytes),
        beatSeed: randomBytes(keyBytes),
        ledgerKey: ledgerKey.length === 0 ? undefined : ledgerKey,
        by: originOf(context),
      })),
    createLedger: ({ project, overlay, trust, head }, context) => {
      if (trust === undefined)
        throw new HeadwaterError({ kind: "invalid", message: "trust: missing" });
      return access.ask<MessageInitShape<typeof CreateLedgerResponseSchema>>((call) => ({
        kind: "create-ledger",
        call,
        project,
        overlay,
        trust,
        head,
        by: originOf(context),
      }));
    },
  };
}

/**
 * A token for overlays writes no flags of the project, nor the other way round.
 * @throws HeadwaterError `forbidden`
 */
function assertMayWrite(
  access: NodeAccess,
  { ledger }: CommitRequest,
  context: HandlerContext,
): void {
  const { project = "", authority = new Uint8Array(0) } = ledger ?? {};
  const isOwn =
    authority.length === 0 ||
    access.reads
      .pins()
      .some((pin) => pin.project === project && bytesEqual(pin.authority, authority));
  assertScope([isOwn ? "flags" : "overlay"], context.values.get(admittedKey));
}
