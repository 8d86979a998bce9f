import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../../relay/random.ts";

/** What is wrong for a while. */
export interface Fault {
  readonly name: string;
  begin(): void | Promise<void>;
  /** From now on everything is as it should be; what went down is up again by itself or by init. */
  end(): void | Promise<void>;
  /** Whether nothing can be written meanwhile. */
  readonly stopsWriting?: boolean;
}

/** What became of the rounds of one kind. */
interface Tally {
  readonly fault: string;
  rounds: number;
  /** From the end of the fault until every app was right, and until all else was; each round. */
  readonly rightMs: number[];
  readonly healedMs: number[];
}

/** What bounds a run; whichever is reached first. */
export interface Bounds {
  readonly rounds: number;
  readonly deadlineMs: number;
  readonly seed: number;
  /** Only faults whose names hold this text. */
  readonly fault?: string | undefined;
}

/** How a run went. */
export interface Outcome {
  readonly name: string;
  readonly rounds: number;
  readonly tookMs: number;
  readonly tallies: readonly Tally[];
  /** What was promised and did not hold, a line each. */
  readonly broken: readonly string[];
  /** What was counted besides. */
  readonly counts: Readonly<Record<string, number>>;
}

/** A fault lasts from the one to the other. */
const faultMsMin = 300;
const faultMsMax = 12_000;

/** Plays one fault after the other, as the seed has it, until a bound is reached or a promise broken. */
export async function playRounds(of: {
  name: string;
  bounds: Bounds;
  faults: readonly Fault[];
  /** Goes on for as long as a fault lasts. */
  during: (fault: Fault, signal: AbortSignal) => Promise<void>;
  /** Waits until all is right again, and says what is not; tells when every app is. */
  heal: (fault: Fault, right: () => void) => Promise<readonly string[]>;
  counts: () => Readonly<Record<string, number>>;
  onRound: (line: string) => void;
  faultMs?: { readonly min: number; readonly max: number };
}): Promise<Outcome> {
  const { min, max } = of.faultMs ?? { min: faultMsMin, max: faultMsMax };
  const random = new Random(of.bounds.seed);
  const faults = of.faults.filter(({ name }) => name.includes(of.bounds.fault ?? ""));
  if (faults.length === 0) throw new Error(noSuchFault(of));
  const tallies = new Map<string, Tally>();
  const broken: string[] = [];
  const startedMs = performance.now();
  const tookMs = (): number => Math.round(performance.now() - startedMs);
  let rounds = 0;
  while (rounds < of.bounds.rounds && performance.now() < of.bounds.deadlineMs) {
    const fault = faults[random.below(faults.length)];
    if (fault === undefined) break;
    rounds++;
    const forMs = min + random.below(max - min);
    await playOne(fault, forMs, of.during);
    const healingMs = performance.now();
    const passedMs = (): number => Math.round(performance.now() - healingMs);
    let rightMs: number | undefined;
    const right = (): void => {
      rightMs = passedMs();
    };
    const problems = await of.heal(fault, right).catch((thrown: unknown) => [reasonOf(thrown)]);
    const healedMs = passedMs();
    const tally = tallies.get(fault.name) ?? emptyTally(fault.name);
    tallies.set(fault.name, tally);
    tally.rounds++;
    tally.rightMs.push(rightMs ?? healedMs);
    tally.healedMs.push(healedMs);
    of.onRound(
      `${of.name} ${rounds}: ${fault.name} for ${forMs} ms; apps right after ${rightMs ?? "—"} ms, all after ${healedMs} ms`,
    );
    broken.push(...problems.map((problem) => `round ${rounds}, ${fault.name}: ${problem}`));
    if (problems.length > 0) break;
  }
  const all = [...tallies.values()].sort((a, b) => (a.fault < b.fault ? -1 : 1));
  return { name: of.name, rounds, tookMs: tookMs(), tallies: all, broken, counts: of.counts() };
}

function noSuchFault({
  name,
  faults,
  bounds,
}: Pick<Parameters<typeof playRounds>[0], "name" | "faults" | "bounds">): string {
  const names = [...new Set(faults.map((fault) => fault.name))].join(", ");
  return `no fault of ${name} has ${JSON.stringify(bounds.fault)} in its name; there are: ${names}`;
}

function emptyTally(fault: string): Tally {
  return { fault, rounds: 0, rightMs: [], healedMs: [] };
}

async function playOne(
  fault: Fault,
  forMs: number,
  during: (fault: Fault, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const going = during(fault, over.signal);
  try {
    // What goes on has begun when it happens, at whatever point it is then.
    await sleep(forMs / 4);
    await fault.begin();
    await sleep((forMs * 3) / 4);
  } finally {
    over.abort();
    await fault.end();
    await going;
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
