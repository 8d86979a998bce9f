import type { Document } from "../../gen/headwater/v1/telemetry_pb.ts";
import { dayMs } from "../../relay/cadence.ts";
import { isIn } from "../../relay/flag/bucket.ts";
import { Random } from "../../relay/random.ts";
import { documentOf } from "../../relay/telemetry/document.ts";
import { Fleet } from "../../relay/telemetry/fleet.ts";
import { Intake } from "../../relay/telemetry/intake/intake.ts";
import { Tally } from "../../relay/telemetry/intake/tally.ts";
import { Received } from "../../relay/telemetry/received.ts";
import { drawFraction } from "../../relay/trust/key.ts";
import { epochMs, valueOf } from "../relay/authority.ts";
import { projectOf, reportOf } from "../relay/telemetry/fixture.ts";
import { mean } from "./features.ts";
import { between } from "./population.ts";

/** Flags at 10 % to 90 %, in steps of 5. */
const flags = Array.from({ length: 17 }, (_, n) => ({
  name: `flag-${n}`,
  basisPoints: 1_000 + 500 * n,
}));

const project = projectOf({ releases: ["1.0"], flags: flags.map(({ name }) => name) });
const window = Math.floor(epochMs / dayMs);

/** How far the root's numbers are from the truth, in points of a percentage. */
export interface HopError {
  readonly vendorsCount: number;
  readonly sitesCount: number;
  readonly samplesCount: number;
  readonly bias: number;
  readonly p95: number;
}

/** Sites with panels, vendors with drawn means, and a root: the error of shares of flags. */
export function hopError(of: {
  vendorsCount: number;
  sitesCount: number;
  trialsCount: number;
  seed: number;
}): HopError {
  const random = new Random(of.seed);
  const errors: number[] = [];
  for (let trial = 0; trial < of.trialsCount; trial++) {
    const truths: Map<string, number>[] = [];
    const vendors = Array.from({ length: of.vendorsCount }, () => {
      const sites = Array.from({ length: of.sitesCount }, () => siteOf(random));
      truths.push(...sites.map(({ truth }) => truth));
      return disclosed(fleetOf(sites.map(({ document }) => document)), random);
    });
    const { weights } = fleetOf(vendors);
    for (const { name } of flags) {
      const truth = mean(truths.map((one) => one.get(name) ?? 0));
      const shown = weights.flags.find((weight) => weight.name === name)?.basisPoints ?? 0;
      errors.push((shown - truth) / 100);
    }
  }
  const sizes = errors.map(Math.abs).sort((a, b) => a - b);
  const p95 = sizes[Math.floor(0.95 * sizes.length)] ?? 0;
  const { vendorsCount, sitesCount } = of;
  return { vendorsCount, sitesCount, samplesCount: errors.length, bias: mean(errors), p95 };
}

/** 100 to 2000 instances, small sites being more common, and what share of them has each flag. */
function siteOf(random: Random): { document: Document; truth: Map<string, number> } {
  const size = Math.round(100 * 20 ** (random.fraction() ** 2));
  const secret = secretOf(random);
  const intake = new Intake((instance) => drawFraction(secret, instance));
  const has = new Map(flags.map(({ name }) => [name, 0]));
  for (let n = 0; n < size; n++) {
    const instance = `${random.uint32()}-${n}`;
    const on = flags.filter(({ name, basisPoints }) => isIn({ flag: name, instance, basisPoints }));
    for (const { name } of on) has.set(name, (has.get(name) ?? 0) + 1);
    intake.take(reportOf({ instance, on: on.map(({ name }) => name) }), { wallMs: epochMs });
  }
  const fleet = new Fleet({
    project,
    received: new Received(new Map()),
    wallMs: epochMs,
    sinceMs: 0,
    tally: intake.tally(0),
    verdictOf: () => "INSUFFICIENT",
    panel: () => intake.panel(0),
  });
  const truth = new Map([...has].map(([name, count]) => [name, (count / size) * 10_000]));
  return { document: disclosed(fleet, random), truth };
}

function fleetOf(documents: readonly Document[]): Fleet {
  const received = new Received(new Map());
  for (const [n, document] of documents.entries()) {
    const record = valueOf(received.prepare(`child-${n}`, document, epochMs));
    if (record !== "REPEATED") received.accept(record);
  }
  return new Fleet({
    project,
    received,
    wallMs: epochMs,
    sinceMs: 0,
    tally: new Tally(),
    verdictOf: () => "INSUFFICIENT",
    panel: () => new Tally(),
  });
}

function disclosed(fleet: Fleet, random: Random): Document {
  return documentOf({
    fleet,
    project: project.name,
    kind: "WEIGHTS",
    level: "PANEL",
    window,
    windowMs: dayMs,
    shown: undefined,
    siteSecret: secretOf(random),
  });
}

function secretOf(random: Random): Uint8Array {
  return new Uint8Array(32).map(() => Math.floor(between(random, 0, 256)));
}
