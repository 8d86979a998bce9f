import { create } from "@bufbuild/protobuf";
import { type ReportRequest, ReportRequestSchema } from "../../../gen/headwater/v1/apps_pb.ts";
import { reportIntervalMs } from "../../../relay/cadence.ts";
import { otlpInstancesMax, reportCrashesMax, reportFlagsMax } from "../../../relay/limits.ts";
import type { OtlpApp, OtlpFact } from "./otlp-facts.ts";

interface Remembered {
  readonly app: OtlpApp;
  /** Whoever has sent it last. */
  address: string;
  readonly flags: Map<string, boolean>;
  readonly crashes: Set<string>;
  heardMs: number;
  /** Undefined until a report has been made, and after one that did not arrive. */
  reportedMs: number | undefined;
  /** Without news it is reported this often: twice as often as the node asks for. */
  repeatMs: number;
}

/**
 * What instances have said by OTLP since they started: a batch holds only what is new, a report all
 * of it. Past the bound the instance that was silent for longest is forgotten, and starts anew: of
 * all, or of the address that has more than half of them.
 */
export class OtlpInstances {
  /** Who was silent for longest comes first. */
  readonly #instances = new Map<string, Remembered>();
  /** By address, in the same order. */
  readonly #keysOf = new Map<string, Set<string>>();
  readonly #instancesMax: number;

  constructor(instancesMax: number = otlpInstancesMax) {
    this.#instancesMax = instancesMax;
  }

  holds(app: OtlpApp): boolean {
    return this.#instances.has(keyOf(app));
  }

  /** Takes up facts; the report that is due, or undefined when nothing is new. */
  take(
    app: OtlpApp,
    facts: readonly OtlpFact[],
    { address, monoMs }: { address: string; monoMs: number },
  ): ReportRequest | undefined {
    const held = this.#remember(app, address, monoMs);
    const isNew = facts.filter((fact) => isNews(held, fact)).length > 0;
    const { reportedMs } = held;
    if (!isNew && reportedMs !== undefined && monoMs - reportedMs < held.repeatMs) return undefined;
    held.reportedMs = monoMs;
    return create(ReportRequestSchema, {
      ...app,
      health: "OK",
      flags: [...held.flags].map(([name, active]) => ({ name, active })),
      crashes: [...held.crashes],
      partial: true,
    });
  }

  /** The report has arrived, and the node asks for the next one. */
  answered(app: OtlpApp, nextAfterMs: number): void {
    const held = this.#instances.get(keyOf(app));
    if (held !== undefined && nextAfterMs > 0) held.repeatMs = nextAfterMs / 2;
  }

  /** The report did not arrive, so that the next batch makes it again. */
  failed(app: OtlpApp): void {
    const held = this.#instances.get(keyOf(app));
    if (held !== undefined) held.reportedMs = undefined;
  }

  #remember(app: OtlpApp, address: string, monoMs: number): Remembered {
    const key = keyOf(app);
    const known = this.#instances.get(key);
    const isSame =
      known?.app.version === app.version && monoMs - known.heardMs < 2 * reportIntervalMs;
    const held = known !== undefined && isSame ? known : fresh(app);
    this.#forget(key);
    held.heardMs = monoMs;
    held.address = address;
    this.#instances.set(key, held);
    this.#keysOf.set(address, (this.#keysOf.get(address) ?? new Set()).add(key));
    if (this.#instances.size > this.#instancesMax) this.#forgetFor(address);
    return held;
  }

  #forgetFor(address: string): void {
    const own = this.#keysOf.get(address) ?? new Set();
    const isMost = own.size > this.#instancesMax / 2;
    const [longestSilent = ""] = (isMost ? own : this.#instances).keys();
    this.#forget(longestSilent);
  }

  #forget(key: string): void {
    const { address = "" } = this.#instances.get(key) ?? {};
    this.#instances.delete(key);
    const keys = this.#keysOf.get(address);
    keys?.delete(key);
    if (keys?.size === 0) this.#keysOf.delete(address);
  }
}

function fresh(app: OtlpApp): Remembered {
  const said = { flags: new Map<string, boolean>(), crashes: new Set<string>() };
  const repeatMs = reportIntervalMs / 2;
  return { app, address: "", ...said, heardMs: 0, reportedMs: undefined, repeatMs };
}

function isNews({ flags, crashes }: Remembered, fact: OtlpFact): boolean {
  if (fact.kind === "crash") {
    if (crashes.has(fact.signature) || crashes.size >= reportCrashesMax) return false;
    crashes.add(fact.signature);
    return true;
  }
  if (flags.get(fact.name) === fact.active) return false;
  if (!flags.has(fact.name) && flags.size >= reportFlagsMax) return false;
  flags.set(fact.name, fact.active);
  return true;
}

/** Names hold no space. */
function keyOf({ project, instance }: Pick<OtlpApp, "project" | "instance">): string {
  return `${project} ${instance}`;
}
