import { type DescMessage, fromBinary } from "@bufbuild/protobuf";
import { JoinTokenSchema, ProjectPinSchema } from "../../gen/headwater/v1/mesh_pb.ts";
import { RolloutSchema } from "../../gen/headwater/v1/rollouts_pb.ts";
import {
  CensusChildSchema,
  CensusEnrollmentSchema,
  CensusEvidenceSchema,
  ChildRecordSchema,
  CrashSightingsSchema,
  DisclosureChoiceSchema,
  ReceivedDocumentSchema,
  TokenRecordSchema,
  TrialSchema,
  WindowStateSchema,
  WriterKeysSchema,
} from "../../gen/headwater/v1/store_pb.ts";
import type { StoredRecord } from "../../relay/durable.ts";
import type { Bucket } from "../../relay/effect.ts";
import { shortened } from "../../relay/quoted.ts";
import { HeadwaterError } from "../error.ts";

/** What is in the buckets that a node can not start without. A ledger that is damaged is fetched anew. */
const schemas: Partial<Record<Bucket, DescMessage>> = {
  pin: ProjectPinSchema,
  key: WriterKeysSchema,
  upstream: JoinTokenSchema,
  child: ChildRecordSchema,
  token: TokenRecordSchema,
  disclosure: DisclosureChoiceSchema,
  window: WindowStateSchema,
  received: ReceivedDocumentSchema,
  trial: TrialSchema,
  crash: CrashSightingsSchema,
  "census-enrollment": CensusEnrollmentSchema,
  "census-evidence": CensusEvidenceSchema,
  "census-child": CensusChildSchema,
  rollout: RolloutSchema,
};

/** Why no node can be made from these records: the first that can not be read is named. */
export function damagedRecord(records: Iterable<StoredRecord>, cause: unknown): HeadwaterError {
  const found = [...records].find((record) => !isReadable(record));
  const what =
    found === undefined ? "a record" : shortened(`the record ${found.bucket} ${found.key}`);
  return new HeadwaterError({
    kind: "damaged",
    message: `${what} of the store is not what was written`,
    hint: "Restore the data directory from a backup, or start on an empty one and join again.",
    cause,
  });
}

function isReadable({ bucket, value }: StoredRecord): boolean {
  const schema = schemas[bucket];
  if (schema === undefined) return true;
  try {
    fromBinary(schema, value);
    return true;
  } catch {
    return false;
  }
}
