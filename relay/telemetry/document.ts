import { create } from "@bufbuild/protobuf";
import { type Document, DocumentSchema } from "../../gen/headwater/v1/telemetry_pb.ts";
import { exact } from "./disclosure/exact.ts";
import type { DisclosureLevel } from "./disclosure/level.ts";
import { rounded, roundedHealth } from "./disclosure/rounded.ts";
import type { Fleet } from "./fleet.ts";
import type { DocumentKind } from "./window.ts";

/** What a fleet comes to for a parent, at a level of disclosure. */
export function documentOf(of: {
  fleet: Fleet;
  project: string;
  kind: DocumentKind;
  level: DisclosureLevel;
  window: number;
  windowMs: number;
  /** What was shown last. */
  shown: Document | undefined;
}): Document {
  const { fleet, shown } = of;
  const isExact = of.level === "EXACT";
  return create(DocumentSchema, {
    project: of.project,
    kind: of.kind,
    disclosure: of.level,
    window: BigInt(of.window),
    windowMs: of.windowMs,
    ...(of.kind === "WEIGHTS"
      ? { weights: isExact ? exact(fleet.weights) : rounded(fleet.weights, shown?.weights) }
      : { health: isExact ? fleet.health : roundedHealth(fleet.health, shown?.health) }),
  });
}
