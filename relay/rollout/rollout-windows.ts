import { create } from "@bufbuild/protobuf";
import { type SomeSites, SomeSitesSchema } from "../../gen/headwater/v1/rollouts_pb.ts";
import { formatDuration } from "../duration.ts";
import { rolloutWindowsMax } from "../limits.ts";
import type { Received } from "../telemetry/received.ts";

type HealthDocuments = ReturnType<Received["of"]>;

/** So many can not make a verdict of all BAD, whatever they say: what they say last is not waited for. */
const passedShare = 0.05;

const namesMax = 3;

/**
 * How long the windows of health documents are that a rollout has to wait for. Children say theirs, so
 * no more of them than it takes to be heard in a verdict can make it longer, and that only so far.
 */
export class RolloutWindows {
  readonly windowMs: number;
  /** Of all, by name. */
  readonly documents: HealthDocuments;
  /** Those that make it longer than this node's own. */
  readonly slow: HealthDocuments;
  /** Those that are longer still. */
  readonly passed: HealthDocuments;
  /** All others. */
  readonly awaited: HealthDocuments;
  /** The shortest of those that make it longer; 0 where there are none. */
  readonly slowMs: number;

  constructor(heard: HealthDocuments, ownMs: number) {
    const documents = [...heard].sort((one, other) => (one.child < other.child ? -1 : 1));
    this.documents = documents;
    const said = documents.map(windowOf).sort((one, other) => other - one);
    const counted = said[Math.max(1, Math.ceil(said.length * passedShare)) - 1] ?? ownMs;
    this.windowMs = Math.max(ownMs, Math.min(counted, rolloutWindowsMax * ownMs));
    const isLonger = this.windowMs > ownMs;
    this.slow = documents.filter((one) => isLonger && windowOf(one) >= this.windowMs);
    this.passed = documents.filter((one) => windowOf(one) > this.windowMs);
    this.awaited = documents.filter((one) => windowOf(one) <= this.windowMs);
    this.slowMs = this.slow.length === 0 ? 0 : Math.min(...this.slow.map(windowOf));
  }
}

function windowOf({ document }: HealthDocuments[number]): number {
  return document.windowMs ?? 0;
}

export function someSites(documents: HealthDocuments): SomeSites {
  const names = documents.slice(0, namesMax).map(({ child }) => child);
  return create(SomeSitesSchema, { count: documents.length, names });
}

/** `a, b, c and 2 more`; empty for none. */
export function sitesText(sites: SomeSites | undefined): string {
  if (sites === undefined || sites.count === 0) return "";
  const more = sites.count - sites.names.length;
  return `${sites.names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** `acme reports every 7d`. */
export function reportsText(sites: SomeSites, windowMs: number): string {
  const reports = sites.count === 1 ? "reports" : "report";
  return `${sitesText(sites)} ${reports} every ${formatDuration(windowMs)}`;
}
