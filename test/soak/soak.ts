import { setTimeout as sleep } from "node:timers/promises";
import { minuteMs, secondMs } from "../../relay/cadence.ts";
import { Random } from "../../relay/random.ts";
import { Churn } from "./churn.ts";
import { Gauges } from "./gauges.ts";
import { type Course, coursesOf, type Sample } from "./quantities.ts";
import { type SoakMesh, startSoakMesh } from "./soak-mesh.ts";
import { Troubles } from "./troubles.ts";

/** How a run went. */
export interface SoakOutcome {
  readonly minutes: number;
  /** Not looked at: code is compiled, caches fill. */
  readonly warmUpMinutes: number;
  readonly courses: readonly Course[];
  /** What was done meanwhile, and how often. */
  readonly counts: Readonly<Record<string, number>>;
}

/** A process that is to run throughout, by what it is. */
interface Measured {
  readonly name: string;
  readonly process: { readonly pid: number | undefined };
}

const sampleEveryMs = 15 * secondMs;

const hourMs = 60 * minuteMs;

/** Of the run, this part comes before the first sample that counts. */
const warmUpShare = 1 / 6;

/**
 * Lets a mesh work for so long while everything comes and goes, and says what its processes hold.
 * @throws when one of them ends, or when not every node has the same in the end
 */
export async function soak(of: {
  minutes: number;
  appsCount: number;
  seed: number;
  onSample: (line: string) => void;
}): Promise<SoakOutcome> {
  await using parts = new AsyncDisposableStack();
  const gauges = parts.use(new Gauges());
  const keep = <T extends AsyncDisposable>(part: T): T => parts.use(part);
  const random = new Random(of.seed);
  const mesh = await startSoakMesh(keep, { gauges, appsCount: of.appsCount });
  const churn = new Churn({ mesh, random });
  const troubles = new Troubles({ mesh, random });
  await churn.begin();
  const measured = measuredOf(mesh);
  const endMs = of.minutes * minuteMs;
  const over = AbortSignal.timeout(endMs);
  const going = Promise.all([churn.run(over), troubles.run(over)]);
  const samples = await Promise.race([
    sampleAll({ gauges, measured, endMs, onSample: of.onSample }),
    // It ends with the others, or before them with the reason.
    going.then(() => new Promise<never>(() => {})),
  ]);
  await going;
  await churn.settle(nodesOf(mesh));
  const warmUpMinutes = of.minutes * warmUpShare;
  const courses = measured.flatMap(({ name }) =>
    coursesOf(
      name,
      (samples.get(name) ?? []).filter(({ hours }) => hours * 60 >= warmUpMinutes),
    ),
  );
  const counts = { ...churn.counts, "apps that came": mesh.apps.startedCount, ...troubles.counts };
  return { minutes: of.minutes, warmUpMinutes, courses, counts };
}

function measuredOf({ root, vendor, site, apps }: SoakMesh): Measured[] {
  const [first, , last] = site;
  if (first === undefined || last === undefined) throw new Error("a site of three is needed");
  return [
    { name: "the root", process: root },
    { name: "the vendor", process: vendor },
    { name: "a node of a site", process: first.node },
    { name: "one with only NATS", process: last.node },
    { name: "apps", process: apps },
  ];
}

function nodesOf({ root, vendor, site, mill }: SoakMesh) {
  return [root, vendor, ...site.map(({ node }) => node), mill];
}

async function sampleAll(of: {
  gauges: Gauges;
  measured: readonly Measured[];
  endMs: number;
  onSample: (line: string) => void;
}): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>();
  const startedMs = performance.now();
  const passedMs = (): number => performance.now() - startedMs;
  while (passedMs() < of.endMs) {
    for (const { name, process } of of.measured) {
      const hours = passedMs() / hourMs;
      const reading = await of.gauges.read(process.pid ?? 0);
      samples.set(name, [...(samples.get(name) ?? []), { hours, ...reading }]);
    }
    of.onSample(lineOf(samples, passedMs()));
    await sleep(Math.min(sampleEveryMs, Math.max(0, of.endMs - passedMs())));
  }
  return samples;
}

function lineOf(samples: ReadonlyMap<string, readonly Sample[]>, ms: number): string {
  const words = [...samples].map(([name, all]) => {
    const last = all.at(-1);
    if (last === undefined) return name;
    const [heap, buffers] = [last.heapBytes, last.externalBytes].map(mebibytes);
    return `${name} ${heap} + ${buffers} MiB, ${last.descriptorsCount} fd, ${last.timersCount} timers`;
  });
  return `${(ms / minuteMs).toFixed(1)} min: ${words.join("; ")}`;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
