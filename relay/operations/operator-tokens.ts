import { toBinary } from "@bufbuild/protobuf";
import { TokenRecordSchema } from "../../gen/headwater/v1/store_pb.ts";
import type { EventOf } from "../event.ts";
import type { NodeParts } from "../parts.ts";
import { quoted } from "../quoted.ts";
import { done, type Outcome, refused } from "../refusal.ts";
import type { Operation } from "./operation.ts";

/** An operator may come with a token, of which its hash is kept. */
export function addToken(parts: NodeParts, event: EventOf<"add-token">): Outcome<Operation> {
  const { tokens } = parts;
  const prepared = tokens.prepare({ ...event, addedMs: event.at.wallMs });
  if (!prepared.ok) return prepared;
  const record = prepared.value;
  return done({
    writes: [{ bucket: "token", key: record.name, value: toBinary(TokenRecordSchema, record) }],
    accept: () => {
      tokens.accept(record);
      return { value: {}, effects: [] };
    },
  });
}

/** It counts no more, from the next call on. */
export function revokeToken(parts: NodeParts, event: EventOf<"revoke-token">): Outcome<Operation> {
  const { name } = event;
  if (!parts.tokens.has(name))
    return refused(
      "unknown",
      `name: no token ${quoted(name)}`,
      "`headwater token list` shows those there are.",
    );
  return done({
    writes: [{ bucket: "token", key: name, value: undefined }],
    accept: () => {
      parts.tokens.remove(name);
      return { value: {}, effects: [] };
    },
  });
}
