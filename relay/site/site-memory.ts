import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import {
  type RecordDigests,
  RecordDigestsSchema,
  type SiteRecords,
  SiteRecordsSchema,
} from "../../gen/headwater/v1/fanout_pb.ts";
import { SentDocumentSchema } from "../../gen/headwater/v1/fleet_pb.ts";
import { RolloutSchema } from "../../gen/headwater/v1/rollouts_pb.ts";
import {
  CensusChildSchema,
  CensusEnrollmentSchema,
  CensusEvidenceSchema,
  ReceivedDocumentSchema,
  TrialSchema,
} from "../../gen/headwater/v1/store_pb.ts";
import type { Write } from "../effect.ts";
import type { Holdings } from "../holdings.ts";
import { chunkBytesMax, frameBytesMax, sharedAnswerBytesMax } from "../limits.ts";
import type { Rollouts } from "../rollout/rollouts.ts";
import { rolloutWrite } from "../rollout/rollouts.ts";
import { receivedWrite } from "../telemetry/received.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { namedBy, type Trials } from "../telemetry/trial/trials.ts";
import { type Stamp, slicesApart, slicesOf } from "./slices.ts";

type Kind = (typeof allKinds)[number];

/** A record that is held, with what it is compared by; written out only where it is sent. */
interface Stamped {
  readonly stamp: Stamp;
  message(): MessageShape<DescMessage>;
}

const allKinds = [
  "rollouts",
  "sent",
  "received",
  "trials",
  "enrollments",
  "evidence",
  "censusChildren",
] as const;

const schemas = {
  rollouts: RolloutSchema,
  sent: SentDocumentSchema,
  received: ReceivedDocumentSchema,
  trials: TrialSchema,
  enrollments: CensusEnrollmentSchema,
  evidence: CensusEvidenceSchema,
  censusChildren: CensusChildSchema,
} as const satisfies Record<Kind, DescMessage>;

/**
 * What the nodes of a site keep for each other: documents that were sent and received, rollouts,
 * what trials have counted and what is known for censuses. Each tells the others as it happens, and whoever was away asks for
 * what it lacks. All of it only grows or is replaced by something later, so the order in which nodes
 * hear of it does not matter, nor how often.
 */
export class SiteMemory {
  readonly #telemetry: Telemetry | undefined;
  readonly #trials: Trials | undefined;
  readonly #rollouts: Rollouts;
  readonly #holdings: Holdings;
  /** Where the next answer begins, so that all of a long one comes in turn. */
  #firstSlice = 0;

  constructor(of: {
    telemetry: Telemetry | undefined;
    trials: Trials | undefined;
    rollouts: Rollouts;
    holdings: Holdings;
  }) {
    this.#telemetry = of.telemetry;
    this.#trials = of.trials;
    this.#rollouts = of.rollouts;
    this.#holdings = of.holdings;
  }

  /** What is held here, for a peer to compare with. Without telemetry there is nothing of it. */
  digests(of: { wallMs: number; withTrials: boolean }): RecordDigests {
    const kinds = of.withTrials ? allKinds : allKinds.filter((kind) => kind !== "trials");
    const digests = kinds.flatMap((kind) => {
      const shared = this.#shared(kind, of.wallMs);
      return shared === undefined ? [] : [[kind, slicesOf(shared.map(({ stamp }) => stamp))]];
    });
    return create(RecordDigestsSchema, Object.fromEntries(digests));
  }

  /** What a peer may lack, in messages of a bounded size, and all together of one. */
  *lacking(theirs: RecordDigests, wallMs: number): Generator<SiteRecords> {
    const first = this.#firstSlice++;
    const turnOf = ({ stamp }: Stamped): number => (stamp.slice + 256 - (first % 256)) % 256;
    const apart = this.#apart(theirs, wallMs).sort((one, other) => turnOf(one) - turnOf(other));
    let leftBytes = sharedAnswerBytesMax;
    let batch = create(SiteRecordsSchema);
    let batchBytes = 0;
    for (const one of apart) {
      const { kind } = one;
      const schema: DescMessage = schemas[kind];
      const record = one.message();
      const bytes = toBinary(schema, record).length;
      // No message between peers takes it.
      if (bytes > frameBytesMax) continue;
      if (bytes > leftBytes) break;
      leftBytes -= bytes;
      if (batchBytes > 0 && batchBytes + bytes > chunkBytesMax) {
        yield batch;
        [batch, batchBytes] = [create(SiteRecordsSchema), 0];
      }
      (batch[kind] as MessageShape<DescMessage>[]).push(record);
      batchBytes += bytes;
    }
    if (batchBytes > 0) yield batch;
  }

  /** What another node's word comes to here. */
  heard(records: SiteRecords, wallMs: number): { writes: Write[]; accept: () => void } {
    const { received, outbox } = this.#telemetry ?? {};
    const { projects } = this.#holdings;
    const sent = outbox?.heard(records.sent, wallMs);
    const held = records.received.filter(({ document }) => projects.has(document?.project ?? ""));
    const documents = received?.heard(held, wallMs) ?? [];
    const words = documents.flatMap(({ received: { child, atMs }, document }) => {
      return this.#telemetry?.censuses.hearChild(child, document, Number(atMs)) ?? [];
    });
    const census = this.#telemetry?.censuses.heard(records, { projects, wallMs });
    const rollouts = this.#rollouts.heard(records.rollouts, (project) => {
      const followed = projects.get(project);
      return followed !== undefined && !this.#holdings.writers.has(followed.ownLedger.id);
    });
    return {
      writes: [
        ...(sent?.writes ?? []),
        ...documents.flatMap((document) => receivedWrite(document)),
        ...rollouts.map(rolloutWrite),
        ...words.flatMap((word) => word.writes),
        ...(census?.writes ?? []),
      ],
      accept: () => {
        sent?.accept();
        for (const document of documents) received?.accept(document);
        for (const word of words) word.accept();
        census?.accept();
        for (const rollout of rollouts) this.#rollouts.accept(rollout);
        this.#trials?.heard(records.trials, { isNamed: namedBy(projects), wallMs });
      },
    };
  }

  /** Those in slices that are not the same at a peer, of what it asks for. */
  #apart(theirs: RecordDigests, wallMs: number): (Stamped & { kind: Kind })[] {
    return allKinds.flatMap((kind) => {
      const digest = theirs[kind];
      const shared = this.#shared(kind, wallMs);
      if (digest === undefined || shared === undefined) return [];
      const slices = slicesApart(slicesOf(shared.map(({ stamp }) => stamp)), digest);
      return shared.filter(({ stamp }) => slices.has(stamp.slice)).map((one) => ({ kind, ...one }));
    });
  }

  #shared(kind: Kind, wallMs: number): Stamped[] | undefined {
    switch (kind) {
      case "rollouts":
        return this.#rollouts.shared.map(({ rollout, stamp }) => ({
          stamp,
          message: () => rollout,
        }));
      case "sent":
        return this.#telemetry?.outbox.log.shared(wallMs).map(({ sent, stamp }) => ({
          stamp,
          message: () => sent,
        }));
      case "received":
        return this.#telemetry?.received
          .shared(wallMs)
          .map(({ received, stamp }) => ({ stamp, message: () => received }));
      case "trials":
        return this.#trials?.shared.map(({ trial, stamp }) => ({
          stamp,
          message: () => trial.toRecord(),
        }));
      case "enrollments":
      case "evidence":
      case "censusChildren":
        return this.#telemetry?.censuses.shared[kind].map(({ record, stamp }) => ({
          stamp,
          message: () => record,
        }));
    }
  }
}
