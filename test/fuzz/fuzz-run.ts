import type { Finding, SessionOutcome } from "./fuzz-session.ts";
import { runThread } from "./fuzz-thread.ts";
import type { Target } from "./target.ts";

export interface FuzzOptions {
  readonly targets: readonly Target[];
  /** Of all targets together. */
  readonly inputsCount: number;
  readonly seed: number;
  readonly isGuided: boolean;
  onProgress(line: string): void;
  /** Told of each as soon as it is known: a run of hours may be ended before it is over. */
  onFinding(finding: Finding): void;
}

export interface FuzzOutcome {
  readonly outcomes: readonly SessionOutcome[];
  readonly findings: readonly Finding[];
}

/** Tries every target in turn, each in a thread of its own. */
export async function runFuzz(of: FuzzOptions): Promise<FuzzOutcome> {
  const outcomes: SessionOutcome[] = [];
  const findings: Finding[] = [];
  const shares = of.targets.reduce((sum, { share }) => sum + share, 0);
  for (const { name, share } of of.targets) {
    const inputsCount = Math.ceil((of.inputsCount * share) / shares);
    const { seed, isGuided } = of;
    let toldAtMs = performance.now();
    const thread = await runThread(
      { target: name, inputsCount, seed, isGuided, isBlind: false },
      {
        onProgress: (count) => {
          if (performance.now() - toldAtMs < 10_000) return;
          toldAtMs = performance.now();
          of.onProgress(`${name}: about ${count} of ${inputsCount}`);
        },
      },
    );
    findings.push(...thread.findings);
    thread.findings.forEach((finding) => of.onFinding(finding));
    if (thread.outcome !== undefined) outcomes.push(thread.outcome);
    of.onProgress(
      `${name}: done, ${JSON.stringify(thread.outcome ?? {})}, ${thread.findings.length} found`,
    );
  }
  return { outcomes, findings };
}
