import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type DisclosureChoice, DisclosureChoiceSchema } from "../../gen/headwater/v1/store_pb.ts";
import type { Records } from "../durable.ts";
import type { Write } from "../effect.ts";
import { type DisclosureLevel, isDisclosureLevel } from "./disclosure/level.ts";

/** An operator's choice: to be made durable, then accepted. */
export interface Choice {
  readonly write: Write;
  accept(): void;
}

/** What is disclosed to an upstream, since when, and who said so. */
export interface Consent {
  readonly level: DisclosureLevel;
  readonly sinceMs: number;
  readonly source: "default" | "command" | "environment";
}

/** What operators have chosen, for each upstream by itself: never inherited, off by default. */
export class Consents {
  readonly #choices = new Map<string, DisclosureChoice>();
  readonly #environment: DisclosureLevel;

  /** @param environment for upstreams without a choice made at a command */
  constructor(environment: DisclosureLevel, records: Records) {
    this.#environment = environment;
    for (const [upstream, bytes] of records.get("disclosure") ?? [])
      this.#choices.set(upstream, fromBinary(DisclosureChoiceSchema, bytes));
  }

  of(upstream: string): Consent {
    const choice = this.#choices.get(upstream);
    if (choice === undefined || !isDisclosureLevel(choice.level))
      return { level: "OFF", sinceMs: Number.POSITIVE_INFINITY, source: "default" };
    const source = choice.byCommand ? "command" : "environment";
    return { level: choice.level, sinceMs: Number(choice.sinceMs), source };
  }

  /**
   * Writes down an operator's choice and its time, so that nothing from before it is sent. The
   * environment's counts from when a node first runs with it; undefined when it changes nothing.
   */
  choose(of: {
    upstream: string;
    level: DisclosureLevel;
    byCommand: boolean;
    wallMs: number;
  }): Choice | undefined {
    const { upstream, level, byCommand } = of;
    const held = this.#choices.get(upstream);
    if (!byCommand && held === undefined && level === "OFF") return undefined;
    if (!byCommand && (held?.byCommand === true || held?.level === level)) return undefined;
    // Saying the same again is no new consent: windows go on.
    const sinceMs = held?.level === level ? held.sinceMs : BigInt(Math.ceil(of.wallMs));
    const choice = create(DisclosureChoiceSchema, { level, sinceMs, byCommand });
    const value = toBinary(DisclosureChoiceSchema, choice);
    return {
      write: { bucket: "disclosure", key: upstream, value },
      accept: () => this.#choices.set(upstream, choice),
    };
  }

  /** What the environment says about an upstream, where that is news. */
  adoptEnvironment(upstream: string, wallMs: number): Choice | undefined {
    return this.choose({ upstream, level: this.#environment, byCommand: false, wallMs });
  }
}
