import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import {
  type PeerMessage,
  type SiteRecords,
  SiteRecordsSchema,
} from "../../gen/headwater/v1/fanout_pb.ts";
import { type SentDocument, SentDocumentSchema } from "../../gen/headwater/v1/fleet_pb.ts";
import { type Rollout, RolloutSchema } from "../../gen/headwater/v1/rollouts_pb.ts";
import {
  type CensusChild,
  CensusChildSchema,
  type CensusEnrollment,
  CensusEnrollmentSchema,
  type CensusEvidence,
  CensusEvidenceSchema,
  type ReceivedDocument,
  ReceivedDocumentSchema,
  type Trial,
  TrialSchema,
} from "../../gen/headwater/v1/store_pb.ts";
import type { RestKind } from "./rest-bounds.ts";

type RecordKind = Exclude<keyof SiteRecords, `$${string}`>;

/** What a node tells the others of its site of each kind of record, by itself. */
export const kindsTold: Readonly<Record<RecordKind, RestKind>> = {
  rollouts: "rollout to peers",
  sent: "document to peers",
  received: "document to peers",
  trials: "record to peers",
  enrollments: "record to peers",
  evidence: "evidence to peers",
  censusChildren: "record to peers",
};

interface ToldRecord {
  readonly kind: RecordKind;
  readonly about: string;
  readonly bytes: Uint8Array;
  /** By the clock of who said it first. */
  readonly toldMs: number;
}

/** What the nodes of a site keep for each other, as far as a message is about that. */
export function recordsOf(body: PeerMessage["body"]): ToldRecord[] {
  if (body.case !== "records") return [];
  const records = fromBinary(SiteRecordsSchema, body.value.payload);
  const told = <Schema extends DescMessage>(
    kind: RecordKind,
    schema: Schema,
    all: readonly MessageShape<Schema>[],
    nameOf: (one: MessageShape<Schema>) => string,
  ): ToldRecord[] =>
    all.map((one) => {
      const toldMs = "toldMs" in one ? Number(one.toldMs) : 0;
      return { kind, about: `${kind} ${nameOf(one)}`, bytes: toBinary(schema, one), toldMs };
    });
  return [
    ...told("rollouts", RolloutSchema, records.rollouts, ({ flag }: Rollout) => flag),
    ...told("sent", SentDocumentSchema, records.sent, sentName),
    ...told("received", ReceivedDocumentSchema, records.received, receivedName),
    ...told("trials", TrialSchema, records.trials, ({ kind, name }: Trial) => `${kind} ${name}`),
    ...told("enrollments", CensusEnrollmentSchema, records.enrollments, enrolledName),
    ...told("evidence", CensusEvidenceSchema, records.evidence, evidenceName),
    ...told("censusChildren", CensusChildSchema, records.censusChildren, childName),
  ];
}

const sentName = ({ upstream, document }: SentDocument): string =>
  `${document?.kind} to ${upstream}`;
const receivedName = ({ child, document }: ReceivedDocument): string =>
  `${document?.kind} of ${child}`;
const enrolledName = ({ project }: CensusEnrollment): string => project;
const evidenceName = ({ name, node }: CensusEvidence): string => `${name} at ${node}`;
const childName = ({ child }: CensusChild): string => child;
