import { create } from "@bufbuild/protobuf";
import {
  type CensusSlot,
  type Document,
  DocumentSchema,
  type Health,
  type Weights,
} from "../../gen/headwater/v1/telemetry_pb.ts";
import { deriveSecret, drawFraction } from "../trust/key.ts";
import { exact } from "./disclosure/exact.ts";
import type { DisclosureLevel } from "./disclosure/level.ts";
import { modal, modalWindowsCount } from "./disclosure/modal.ts";
import { histogram } from "./disclosure/panel.ts";
import { rounded, roundedHealth } from "./disclosure/rounded.ts";
import { step } from "./disclosure/share.ts";
import { sticky } from "./disclosure/sticky.ts";
import type { Fleet } from "./fleet.ts";
import type { DocumentKind } from "./window.ts";

interface DocumentParts {
  readonly fleet: Fleet;
  readonly project: string;
  readonly kind: DocumentKind;
  readonly level: DisclosureLevel;
  readonly window: number;
  readonly windowMs: number;
  /** What was shown last, since the operator's consent. */
  readonly shown: Document | undefined;
  readonly siteSecret: Uint8Array;
  /** Answers to what is asked; the same at every level. */
  readonly census?: () => readonly CensusSlot[];
}

/** What a fleet comes to for a parent, at a level of disclosure. */
export function documentOf(of: DocumentParts): Document {
  return create(DocumentSchema, {
    project: of.project,
    kind: of.kind,
    disclosure: of.level,
    window: BigInt(of.window),
    windowMs: of.windowMs,
    ...(of.kind === "WEIGHTS"
      ? { weights: weightsOf(of), census: [...(of.census?.() ?? [])] }
      : { health: healthOf(of) }),
  });
}

function healthOf({ fleet, level, shown }: DocumentParts): Health {
  if (level === "EXACT") return fleet.health;
  if (level === "PANEL") return roundedHealth(fleet.panelHealth, shown?.health);
  if (level === "MODAL") return roundedHealth(fleet.modalHealth, shown?.health);
  return roundedHealth(fleet.health, shown?.health);
}

/** A site has its own apps alone; above sites what is shown is a mean, and is drawn. */
function weightsOf(of: DocumentParts): Weights {
  const { fleet, level, shown, project } = of;
  if (level === "EXACT") return exact(fleet.weights);
  if (level === "MODAL") return modal(fleet.weights, shown?.weights, repeats(of));
  const isPanel = level === "PANEL";
  if (fleet.childrenCount === 0)
    return isPanel ? histogram(fleet.panelWeights) : rounded(fleet.weights, shown?.weights);
  return sticky(isPanel ? fleet.panelWeights : fleet.weights, {
    shown: shown?.weights,
    secret: deriveSecret({ secret: of.siteSecret, purpose: `rounding of ${project}` }),
    least: isPanel ? 0 : step,
  });
}

/** Whether what was said last is said again: the most common release changes once in seven windows. */
function repeats({ siteSecret, project, shown, window, windowMs }: DocumentParts): boolean {
  if (shown?.disclosure !== "MODAL" || shown.windowMs !== windowMs) return false;
  const draw = drawFraction(siteSecret, `week of ${project}`);
  const offset = Math.floor(draw * modalWindowsCount);
  const weekOf = (one: number): number => Math.floor((one + offset) / modalWindowsCount);
  return weekOf(window) === weekOf(Number(shown.window ?? 0n));
}
