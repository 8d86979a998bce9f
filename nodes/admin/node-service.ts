import { randomBytes } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { JoinToken } from "../../gen/headwater/v1/mesh_pb.ts";
import type { JoinResponseSchema, NodeService } from "../../gen/headwater/v1/nodes_pb.ts";
import { formatToken, parseToken } from "../../relay/trust/join-token.ts";
import type { NodeAccess } from "../access.ts";
import { originOf } from "./call-origin.ts";
import type { FlagStreams } from "./flag-stream.ts";
import { outcomeValue } from "./outcome-value.ts";
import type { WhileAdmitted } from "./while-admitted.ts";

/** What a revocation names. */
const childIdBytes = 16;

/** This node and its links, for operators. */
export function nodeService(of: {
  access: NodeAccess;
  streams: FlagStreams;
  admittedWhile: WhileAdmitted;
  software: string;
  /** Wall clock, milliseconds since 1970. */
  startedMs: number;
  /** Addresses that join tokens name, `host:port`. */
  advertise: readonly string[];
  /** What they pin; another one once the TLS files are renewed. */
  identity: { readonly pin: Uint8Array };
}): ServiceImpl<typeof NodeService> {
  const { access, streams, software } = of;
  const startedMs = BigInt(Math.floor(of.startedMs));
  return {
    getStatus: () => ({ ...access.reads.status(access.now()), software, startedMs }),
    explain: (request) => outcomeValue(access.reads.explain(request, access.now().wallMs)),
    watchFlags: ({ project }, context) => streams.open(project, of.admittedWhile(context)),
    addChild: async ({ name, expiresMs, projects }, context) => {
      const token = await access.ask<JoinToken>((call) => ({
        kind: "add-child",
        call,
        name,
        expiresMs: Number(expiresMs),
        projects,
        addresses: of.advertise,
        certificate: of.identity.pin,
        id: randomBytes(childIdBytes),
        by: originOf(context),
      }));
      return { token: formatToken(token) };
    },
    listChildren: () => ({ children: access.reads.children() }),
    revokeChild: ({ name, older }, context) =>
      access.ask<{ revokedCount: number }>((call) => ({
        kind: "revoke-child",
        call,
        name,
        older,
        by: originOf(context),
      })),
    join: async ({ token: text }, context) => {
      const token = outcomeValue(parseToken(text));
      return access.ask<MessageInitShape<typeof JoinResponseSchema>>((call) => ({
        kind: "join",
        call,
        token,
        by: originOf(context),
      }));
    },
  };
}
