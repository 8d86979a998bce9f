import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs } from "../../relay/cadence.ts";
import type { Random } from "../../relay/random.ts";
import type { DisclosureLevel } from "../../relay/telemetry/disclosure/level.ts";
import { documentOf } from "../../relay/telemetry/document.ts";
import { Fleet } from "../../relay/telemetry/fleet.ts";
import { Tally } from "../../relay/telemetry/intake/tally.ts";
import { Received } from "../../relay/telemetry/received.ts";
import { epochMs, valueOf } from "../relay/authority.ts";
import { projectOf, weightsDocument } from "../relay/telemetry/fixture.ts";
import type { Look } from "./experiment.ts";
import { featuresOf } from "./features.ts";
import { between, exponential } from "./population.ts";

const project = projectOf({ releases: ["1.0", "2.0"], flags: [] });

/** Instances that each site's panel shows. */
const seatsCount = 20;

/** What the parent of some sites tells its own parent, day by day. */
class Vendor {
  readonly #level: DisclosureLevel;
  readonly #siteSecret: Uint8Array;
  readonly #received = new Received(new Map());
  #shown: Document | undefined;

  constructor(level: DisclosureLevel, siteSecret: Uint8Array) {
    this.#level = level;
    this.#siteSecret = siteSecret;
  }

  /** @param onNew of each site how many of its panel are on the new release */
  tell(day: number, onNew: readonly number[]): Document {
    const wallMs = epochMs + day * dayMs;
    const window = Math.floor(wallMs / dayMs);
    for (const [site, count] of onNew.entries()) {
      const share = (count * 10_000) / seatsCount;
      const document = weightsDocument(
        { "1.0": 10_000 - share, "2.0": share },
        { window, disclosure: "PANEL" },
      );
      const record = valueOf(this.#received.prepare(`site-${site}`, document, wallMs));
      if (record !== "REPEATED") this.#received.accept(record);
    }
    this.#shown = documentOf({
      fleet: this.#fleet(wallMs),
      project: project.name,
      kind: "WEIGHTS",
      level: this.#level,
      window,
      windowMs: dayMs,
      shown: this.#shown,
      siteSecret: this.#siteSecret,
    });
    return this.#shown;
  }

  #fleet(wallMs: number): Fleet {
    return new Fleet({
      project,
      received: this.#received,
      wallMs,
      sinceMs: 0,
      tally: new Tally(),
      verdictOf: () => "INSUFFICIENT",
      panel: () => new Tally(),
    });
  }
}

/** Whether a site that is wholly on the new release has joined a vendor whose others are mixed. */
export function joining(sitesCount: number): Look {
  return ({ size, levels, random }) => {
    const share = between(random, 0.2, 0.8);
    const others = Array.from({ length: sitesCount }, () => panelOf(random, () => share));
    return tellingsOf(levels, random, (vendor) => {
      const [before, after] = [vendor.tell(0, others), vendor.tell(1, joined(others, size))];
      const [one, other] = [before, after].map((document) => shareOf(document));
      const features = { before: one ?? 0, after: other ?? 0, more: (other ?? 0) - (one ?? 0) };
      return { features, document: after };
    });
  };
}

function joined(others: readonly number[], size: number): number[] {
  return size === 0 ? [...others] : [...others, seatsCount];
}

/** How many sites a vendor has, from a month in which each upgrades by itself. */
export const numberOfSites: Look = ({ size, levels, random }) => {
  const delay = between(random, 2, 6);
  const hours = Array.from({ length: size }, () => {
    const begins = exponential(random, delay);
    return Array.from({ length: seatsCount }, () => begins + exponential(random, 1));
  });
  return tellingsOf(levels, random, (vendor) => {
    const documents = Array.from({ length: 30 }, (_, day) =>
      vendor.tell(
        day,
        hours.map((site) => site.filter((at) => at <= day).length),
      ),
    );
    const weights = documents.flatMap((document) => document.weights ?? []);
    return { features: featuresOf(weights), document: documents.at(-1) };
  });
};

function tellingsOf<T>(
  levels: readonly DisclosureLevel[],
  random: Random,
  tell: (vendor: Vendor) => T,
): Map<DisclosureLevel, T> {
  const siteSecret = new Uint8Array(32).map(() => random.below(256));
  return new Map(levels.map((level) => [level, tell(new Vendor(level, siteSecret))]));
}

function panelOf(random: Random, shareOf: () => number): number {
  return Array.from({ length: seatsCount }, () => random.fraction() < shareOf()).filter(Boolean)
    .length;
}

function shareOf({ weights }: Document): number {
  return weights?.releases.find(({ name }) => name === "2.0")?.basisPoints ?? 0;
}
