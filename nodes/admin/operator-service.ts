import { randomBytes } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { HistoryRecordSchema } from "../../gen/headwater/v1/ledgers_pb.ts";
import type { BackupResponseSchema, OperatorService } from "../../gen/headwater/v1/operators_pb.ts";
import type { NodeAccess } from "../access.ts";
import { HeadwaterError } from "../error.ts";
import { digestOf } from "./authorization.ts";
import { originOf } from "./call-origin.ts";
import type { ChangeStreams } from "./change-stream.ts";
import { listNewest } from "./record-list.ts";
import type { WhileAdmitted } from "./while-admitted.ts";

/** As scanners for leaked secrets look for them; then 32 random bytes. */
const tokenPrefix = "hwt_";
const tokenBytes = 32;

/** A file of the data directory, piece by piece. */
export type BackupPiece = MessageInitShape<typeof BackupResponseSchema>;

/** Who may ask this node what, and who has asked. */
export function operatorService(of: {
  access: NodeAccess;
  changes: ChangeStreams;
  admittedWhile: WhileAdmitted;
  /** A consistent copy of all that the node keeps. */
  backup: (() => AsyncIterable<BackupPiece>) | undefined;
}): ServiceImpl<typeof OperatorService> {
  const { access } = of;
  return {
    addToken: async ({ name, scopes, expiresMs }, context) => {
      const token = `${tokenPrefix}${randomBytes(tokenBytes).toString("base64url")}`;
      await access.ask((call) => ({
        kind: "add-token",
        call,
        name,
        digest: digestOf(token),
        scopes,
        expiresMs: Number(expiresMs),
        by: originOf(context),
      }));
      return { token };
    },
    listTokens: () => ({
      tokens: access.reads
        .tokens()
        .map(({ name, scopes, addedMs, expiresMs }) => ({ name, scopes, addedMs, expiresMs })),
    }),
    revokeToken: async ({ name }, context) => {
      await access.ask((call) => ({ kind: "revoke-token", call, name, by: originOf(context) }));
      return {};
    },
    listAudit: ({ limit }) => ({
      records: listNewest({ access, bucket: "audit", schema: HistoryRecordSchema, limit }),
    }),
    watchChanges: (_, context) => of.changes.open(of.admittedWhile(context)),
    backup: async function* (_, context) {
      const admitted = of.admittedWhile(context);
      for await (const piece of of.backup?.() ?? []) {
        // All keys are in it, and whoever takes it slowly can do so for days.
        if (admitted.aborted) throw admittedNoMore();
        yield piece;
      }
    },
  };
}

function admittedNoMore(): HeadwaterError {
  return new HeadwaterError({
    kind: "unauthenticated",
    message: "the token that the backup was asked for with is revoked, or over",
    hint: "Ask for it again, with one that is good for as long as it takes.",
  });
}
