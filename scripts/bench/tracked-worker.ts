// The telemetry of one site, with as many instances as it is told, in a process of its own.
import process from "node:process";
import type { ReportRequest } from "../../gen/headwater/v1/apps_pb.ts";
import { dayMs, secondMs } from "../../relay/cadence.ts";
import { Random } from "../../relay/random.ts";
import { epochMs } from "../../test/relay/authority.ts";
import { projectOf, reportOf } from "../../test/relay/telemetry/fixture.ts";
import { Site } from "../../test/relay/telemetry/site.ts";
import { serveVerbs } from "./worker.ts";

const flags = Array.from({ length: 100 }, (_, n) => `flag-${n}`);
const releases = Array.from({ length: 20 }, (_, n) => `1.${n}`);
const random = new Random(7);

let site: Site | undefined;
let filledCount = 0;
let names: Map<string, number> | undefined;
/** A document is due for the whole window before, of those that have just reported. */
const nowMs = epochMs + 3 * dayMs;

serveVerbs({
  /** As many instances report; bytes that are taken more than before. */
  fill: ({ count }: { count: number }): number => {
    const fresh = new Site({}, new Map(), projectOf({ releases, flags }));
    fresh.choose("PANEL", epochMs);
    filledCount = count;
    return growthOf(() => {
      site = fresh;
      for (let n = 0; n < count; n++)
        fresh.telemetry.take(fresh.project, reportAt(n), { wallMs: nowMs - secondMs, isOwn: true });
    });
  },
  /** The least that counts an instance once: its name, and when it was heard. */
  fillMap: ({ count }: { count: number }): number =>
    growthOf(() => {
      names = new Map();
      for (let n = 0; n < count; n++) names.set(reportAt(n).instance, n);
    }),
  /** Some report once more, with another release: nothing that was added up before is right now. */
  again: ({ count }: { count: number }): void => {
    for (let n = 0; n < Math.min(count, filledCount); n++)
      site?.telemetry.take(site.project, reportAt(n), { wallMs: nowMs - secondMs, isOwn: true });
  },
  /**
   * Milliseconds that the documents of all that is due take, which nothing interrupts. They are not
   * taken for sent, so that they are due again.
   */
  close: (): { ms: number; documents: number } => {
    const begunMs = performance.now();
    const due = site?.due(nowMs) ?? [];
    const ms = performance.now() - begunMs;
    return { ms, documents: due.length };
  },
});

/** Each its own id; of a hundred flags twenty are asked for, and ten of those are drawn by lot. */
function reportAt(n: number): ReportRequest {
  const lot = (n * 2_654_435_761) % 2 ** 32;
  const on = flags.slice(0, 20).filter((_, at) => at % 2 === 0 || ((lot >>> at) & 1) === 1);
  const instance = `${n.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;
  return reportOf({ instance, version: releases[random.below(20)] ?? "", on });
}

function growthOf(work: () => void): number {
  const before = takenBytes();
  work();
  return takenBytes() - before;
}

/** After a full collection, so that only what is held counts. */
function takenBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
