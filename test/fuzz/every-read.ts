import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { ListCensusesResponseSchema } from "../../gen/headwater/v1/censuses_pb.ts";
import { GetFleetResponseSchema } from "../../gen/headwater/v1/fleet_pb.ts";
import {
  GetLedgerResponseSchema,
  GetTrustResponseSchema,
} from "../../gen/headwater/v1/ledgers_pb.ts";
import {
  ChildSchema,
  ExplainResponseSchema,
  GetStatusResponseSchema,
} from "../../gen/headwater/v1/nodes_pb.ts";
import {
  CheckGateRequestSchema,
  CheckGateResponseSchema,
  RolloutSchema,
} from "../../gen/headwater/v1/rollouts_pb.ts";
import { DocumentSchema } from "../../gen/headwater/v1/telemetry_pb.ts";
import { flagdAnswer } from "../../relay/flag/flagd-answer.ts";
import { flagdJson } from "../../relay/flag/flagd-json.ts";
import type { Outcome } from "../../relay/refusal.ts";
import type { SteppedNode } from "../relay/stepped-node.ts";
import { Broken } from "./target.ts";

const versions = ["", "1.0", "2.0", "2.0-el9", "2.1", "nightly"] as const;

/** Asks a node for all that can be asked, and has each answer encoded as for whoever asked. */
export function readEverything({ node: { reads }, wallMs, monoMs }: SteppedNode): void {
  const at = { wallMs, monoMs };
  encode(GetStatusResponseSchema, reads.status(at));
  for (const child of reads.children()) encode(ChildSchema, child);
  for (const { project, authority, overlays } of reads.pins())
    for (const one of [authority, ...overlays]) {
      encodeOutcome(GetLedgerResponseSchema, reads.ledger({ project, authority: one }, wallMs));
      encodeOutcome(GetTrustResponseSchema, reads.trust({ project, authority: one }));
    }
  for (const project of reads.projects()) readProject({ reads, at, project });
}

function readProject(of: {
  reads: SteppedNode["node"]["reads"];
  at: { wallMs: number; monoMs: number };
  project: string;
}): void {
  const { reads, at, project } = of;
  const { wallMs } = at;
  for (const version of versions)
    for (const { basisPoints = 0 } of reads.table(project, version, wallMs)?.flags.values() ?? [])
      if (basisPoints > 10_000) throw new Broken(`a flag at ${basisPoints} basis points`);
  const set = reads.flagSet(project, wallMs);
  if (set !== undefined) JSON.parse(flagdJson(set));
  for (const flag of reads.flags(project).slice(0, 5)) {
    const asked = { project, flag, instance: "i-1", version: "2.0" };
    reads.evaluate(asked, wallMs);
    reads.flagText(project, flag, wallMs);
    encodeOutcome(ExplainResponseSchema, reads.explain(asked, wallMs));
    const byRelease = reads.flagByRelease(project, flag, wallMs);
    if (byRelease !== undefined) flagdAnswer(byRelease, { key: "i-1", version: "2.0" });
  }
  encodeOutcome(GetFleetResponseSchema, reads.fleet(project, wallMs));
  encodeOutcome(ListCensusesResponseSchema, reads.censuses(project, wallMs));
  for (const rollout of reads.rollouts(project)) encode(RolloutSchema, rollout);
  const conditions = create(CheckGateRequestSchema, { project }).conditions;
  const gate = create(CheckGateRequestSchema, { project, conditions });
  encodeOutcome(CheckGateResponseSchema, reads.gate(gate, wallMs));
  for (const kind of ["WEIGHTS", "HEALTH"])
    for (const disclosure of ["EXACT", "ROUNDED", "PANEL"]) {
      const preview = reads.preview({ project, kind, disclosure, upstream: "" }, at);
      if (preview.ok && preview.value.document !== undefined)
        encode(DocumentSchema, preview.value.document);
    }
}

function encode<D extends DescMessage>(schema: D, message: MessageShape<D>): void {
  toBinary(schema, message);
}

function encodeOutcome<D extends DescMessage>(schema: D, outcome: Outcome<MessageShape<D>>): void {
  if (outcome.ok) encode(schema, outcome.value);
}
