import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { EvaluateResponseSchema } from "../../gen/headwater/v1/apps_pb.ts";
import {
  type ExplainResponse,
  ExplainResponseSchema,
  type LayerPartSchema,
} from "../../gen/headwater/v1/nodes_pb.ts";
import { basisPointOf } from "../flag/bucket.ts";
import { decide } from "../flag/effective-flag.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Project } from "./project.ts";
import { flagWords, ruleWords } from "./words.ts";

type LayerPart = MessageInitShape<typeof LayerPartSchema>;

/** What each layer has to do with what a flag is; with an instance, also what it gets, and why. */
export function explain(
  project: Project,
  of: { flag: string; instance: string; version: string; wallMs: number },
): ExplainResponse {
  const build = project.buildOf(of.version, of.wallMs);
  const freshness = project.freshness(of.wallMs);
  const effective = project.isEmpty ? undefined : project.effective(of.flag, build, of.wallMs);
  const decision = project.isEmpty
    ? ({ enabled: false, reason: "EMPTY" } as const)
    : decide(effective, of.instance, false);
  const hold = project.isEmpty ? undefined : project.hold(of.flag, of.wallMs);
  const asked: MessageInitShape<typeof EvaluateResponseSchema> = { ...decision, freshness };
  return create(ExplainResponseSchema, {
    freshness,
    release: build.release,
    parts: project.ledgers.flatMap((ledger) => partOf(project, ledger, of) ?? []),
    ...(effective && { effective: { ...effective } }),
    ...(hold && ("problem" in hold ? { holdProblem: hold.problem } : { hold })),
    ...(of.instance !== "" && {
      decision: asked,
      bucket: basisPointOf({ flag: of.flag, instance: of.instance }),
    }),
  });
}

/** The effective flag in one line; empty when the project has no such flag. */
export function flagText(project: Project, of: { flag: string; wallMs: number }): string {
  if (!project.own.flags.has(of.flag)) return "";
  const parts = project.ledgers.flatMap((ledger) => partOf(project, ledger, of) ?? []);
  return parts.map(({ says, note }) => (note === "" ? says : `${says}: "${note}"`)).join("; ");
}

function partOf(
  project: Project,
  ledger: Ledger,
  { flag, wallMs }: { flag: string; wallMs: number },
): LayerPart | undefined {
  const layer = project.layerOf(ledger);
  if (layer === undefined) return undefined;
  const overlay = project.overlay(ledger, wallMs);
  const own = overlay === undefined;
  const base = {
    authority: ledger.name.authority,
    own,
    ...(ledger.position && { position: ledger.position }),
  };
  if (ledger.position === undefined) return { ...base, says: "nothing verified yet", note: "" };
  if (!own) {
    const words = ruleWords(overlay, flag);
    return words.says === "" ? undefined : { ...base, ...words };
  }
  const held = layer.flags.get(flag);
  if (held === undefined) return { ...base, says: "no such flag", note: "" };
  return { ...base, says: flagWords(held), note: held === "misunderstood" ? "" : held.flag.note };
}
