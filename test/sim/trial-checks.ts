import { fromBinary } from "@bufbuild/protobuf";
import type { ReportRequest } from "../../gen/headwater/v1/apps_pb.ts";
import { type Arm, type Trial, TrialSchema } from "../../gen/headwater/v1/store_pb.ts";
import type { Write } from "../../relay/effect.ts";
import { type VerdictWord, verdicts } from "../../relay/telemetry/trial/verdict.ts";
import type { Hold } from "./checks.ts";
import type { SimulatedNode } from "./simulated-node.ts";

/** Whether each instance of one side has ever failed. */
type Side = Map<string, boolean>;

/** Looks at what trials write down, against who has really reported. */
export class TrialChecks {
  readonly #hold: Hold;
  /** By site and side, as `sideOf` names it: the nodes of a site tell each other of reports. */
  readonly #sides = new Map<string, Side>();
  /** The last record of each trial, by node and key. */
  readonly #written = new Map<string, Trial>();
  /** What any site has ever said of a flag. */
  readonly #said = new Set<string>();

  constructor(of: { hold: Hold }) {
    this.#hold = of.hold;
  }

  /** A report on its way: it may be lost, and then nobody has counted it. */
  reported(site: string, { instance, health, flags }: ReportRequest): void {
    const sides = [
      sideOf(site, "any", ""),
      ...flags.map(({ name, active }) => sideOf(site, active ? "subject" : "control", name)),
    ];
    for (const side of sides) {
      const known: Side = this.#sides.get(side) ?? new Map<string, boolean>();
      this.#sides.set(
        side,
        known.set(instance, known.get(instance) === true || health === "FAILED"),
      );
    }
  }

  /** Its disk is another: what it had counted is gone with it. */
  forget(node: string): void {
    for (const key of this.#written.keys())
      if (key.startsWith(`${node} `)) this.#written.delete(key);
  }

  /** Whether a verdict of a parent on a flag can be from its sites. */
  hasSaid(flag: string, verdict: string): boolean {
    // Where one site among many says BAD, their parent says DEGRADED.
    const words = verdict === "DEGRADED" ? ["DEGRADED", "BAD"] : [verdict];
    return verdict === "INSUFFICIENT" || words.some((word) => this.#said.has(`${flag} ${word}`));
  }

  persisted(node: SimulatedNode, writes: readonly Write[]): void {
    for (const { bucket, key, value } of writes) {
      if (bucket !== "trial") continue;
      const at = `${node.name} ${key}`;
      if (value === undefined) this.#written.delete(at);
      else this.#trialWritten(node, at, fromBinary(TrialSchema, value));
    }
  }

  #trialWritten({ name: node, settings }: SimulatedNode, key: string, trial: Trial): void {
    for (const arm of ["subject", "control"] as const)
      this.#armWritten({ node, site: settings.site, trial, arm });
    const former = this.#written.get(key);
    // Without a clock one after the other begins at the same time, the first of all.
    const isSame =
      trial.startedMs > 0 &&
      former?.startedMs === trial.startedMs &&
      former.against === trial.against;
    this.#hold(
      "U7",
      node,
      !isSame || !isLess(trial.subject, former.subject),
      () => `the trial of ${trial.name} has lost instances that were counted`,
    );
    const isBad = wordOf(trial) === "BAD";
    this.#hold(
      "U7",
      node,
      !isSame || wordOf(former) !== "BAD" || isBad,
      () => `${trial.name} is BAD no longer, in the same trial`,
    );
    if (trial.kind === "FLAG") this.#said.add(`${trial.name} ${wordOf(trial)}`);
    this.#written.set(key, trial);
  }

  #armWritten(of: { node: string; site: string; trial: Trial; arm: "subject" | "control" }): void {
    const { node, site, trial, arm } = of;
    const { instances = 0, failed = 0 } = trial[arm] ?? {};
    const side = trial.kind === "FLAG" ? sideOf(site, arm, trial.name) : sideOf(site, "any", "");
    const known: Side = this.#sides.get(side) ?? new Map<string, boolean>();
    const failedCount = [...known.values()].filter(Boolean).length;
    this.#hold(
      "U7",
      node,
      instances <= known.size && failed <= failedCount,
      () =>
        `the trial of ${trial.name} counts ${instances} instances as ${arm}, ${failed} failed; there are ${known.size}, ${failedCount} failed`,
    );
    if (arm === "control" || wordOf(trial) !== "BAD") return;
    this.#hold("U7", node, failed > 0, () => `${trial.name} is BAD, and nothing has failed`);
  }
}

function sideOf(site: string, arm: string, flag: string): string {
  return `${site} ${arm} ${flag}`;
}

function wordOf({ judgement }: Trial): VerdictWord {
  return verdicts[judgement] ?? "INSUFFICIENT";
}

function isLess(now: Arm | undefined, before: Arm | undefined): boolean {
  return (
    (now?.instances ?? 0) < (before?.instances ?? 0) || (now?.failed ?? 0) < (before?.failed ?? 0)
  );
}
