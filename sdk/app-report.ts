import { create } from "@bufbuild/protobuf";
import { type ReportRequest, ReportRequestSchema } from "../gen/headwater/v1/apps_pb.ts";
import { isName } from "../relay/flag/name.ts";
import type { AskedFlags } from "./asked-flags.ts";
import { crashSignature } from "./crash-signature.ts";
import { reportCrashesMax, reportFeaturesMax } from "./limits.ts";

/** How an instance is; one that is `FAILED` does not do its work. */
export type Health = "OK" | "DEGRADED" | "FAILED";

/** Which running copy of what. */
export interface App {
  readonly project: string;
  readonly version: string;
  readonly instance: string;
  /** Projects inside it that have flags of their own. */
  readonly dependencies?: readonly { readonly project: string; readonly version: string }[];
  /** The version that this instance ran before, where it was another. */
  readonly former?: string | undefined;
}

/** All that an app has said of itself since it started. */
export class AppReport {
  readonly #app: App;
  readonly #asked: AskedFlags;
  readonly #features = new Set<string>();
  readonly #crashes = new Set<string>();
  #health: Health = "OK";
  #hasFailed = false;

  constructor(app: App, asked: AskedFlags) {
    this.#app = app;
    this.#asked = asked;
  }

  /** Answers whether it differs; undefined for what is no health. */
  health(health: Health): boolean | undefined {
    if (!HEALTHS.includes(health)) return undefined;
    const isNew = health !== this.#health;
    this.#health = health;
    this.#hasFailed ||= health === "FAILED";
    return isNew;
  }

  /** Answers whether it can be the name of a feature. */
  used(feature: string): boolean {
    if (typeof feature !== "string" || !isName(feature)) return false;
    if (this.#features.size < reportFeaturesMax) this.#features.add(feature);
    return true;
  }

  /** Answers whether there was none like it. */
  crash(error: unknown): boolean {
    const signature = crashSignature(error);
    if (this.#crashes.has(signature) || this.#crashes.size === reportCrashesMax) return false;
    this.#crashes.add(signature);
    return true;
  }

  get message(): ReportRequest {
    const { project, version, instance, dependencies = [], former } = this.#app;
    return create(ReportRequestSchema, {
      project,
      version,
      instance,
      dependencies: [...dependencies],
      ...(former !== undefined && {
        upgrade: { from: former, outcome: this.#hasFailed ? "FAILED" : "OK" },
      }),
      health: this.#health,
      flags: this.#asked.list,
      features: [...this.#features],
      crashes: [...this.#crashes],
    });
  }
}

const HEALTHS: readonly Health[] = ["OK", "DEGRADED", "FAILED"];
