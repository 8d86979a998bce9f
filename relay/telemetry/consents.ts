import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type SiteConsent, SiteConsentSchema } from "../../gen/headwater/v1/fanout_pb.ts";
import { type DisclosureChoice, DisclosureChoiceSchema } from "../../gen/headwater/v1/store_pb.ts";
import { clockSkewMsMax } from "../cadence.ts";
import type { Records } from "../durable.ts";
import type { Write } from "../effect.ts";
import { upstreamsCountMax } from "../limits.ts";
import { sha256 } from "../trust/key.ts";
import { type DisclosureLevel, isDisclosureLevel } from "./disclosure/level.ts";
import { upstreamLengthMax } from "./sent-log.ts";

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
    const now = BigInt(Math.ceil(of.wallMs));
    // Saying the same again is no new consent: windows go on. One of a clock that was ahead is to come.
    const isSame = held?.level === level && held.sinceMs <= now;
    if (!byCommand && (held?.byCommand === true || isSame)) return undefined;
    const sinceMs = isSame ? held.sinceMs : now;
    const former = held?.saidMs ?? 0n;
    const saidMs = !byCommand ? 0n : now > former ? now : former + 1n;
    return this.#choice(upstream, { level, sinceMs, byCommand, saidMs });
  }

  /** What was said at a command, for the other nodes of the site. */
  get shared(): readonly SiteConsent[] {
    return [...this.#choices]
      .filter(([, { byCommand }]) => byCommand)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([upstream, { level, sinceMs, saidMs }]) =>
        create(SiteConsentSchema, { upstream, level, sinceMs, saidMs }),
      );
  }

  /** Equal for all who know the same; empty for nothing. */
  get digest(): Uint8Array {
    const { shared } = this;
    if (shared.length === 0) return new Uint8Array(0);
    return sha256(...shared.map((one) => toBinary(SiteConsentSchema, one)));
  }

  /**
   * What another node's word changes here: the last word counts, also about upstreams to come. Of a time
   * to come it is taken where it takes consent back, or follows on another such word: it is said by who
   * had a clock that was ahead.
   */
  heard(shared: readonly SiteConsent[], wallMs: number): Choice[] {
    const latestMs = BigInt(Math.ceil(wallMs + clockSkewMsMax));
    const room = Math.max(0, 2 * upstreamsCountMax - this.#choices.size);
    let newCount = 0;
    return shared.flatMap(({ upstream, level, sinceMs, saidMs }) => {
      const held = this.#choices.get(upstream);
      const isNews = held?.byCommand !== true || saidMs > held.saidMs;
      const isWhole = upstream !== "" && upstream.length <= upstreamLengthMax;
      const mayBeToCome = level === "OFF" || (held?.saidMs ?? 0n) > latestMs;
      const isTimely = saidMs <= latestMs || mayBeToCome;
      if (!isNews || !isWhole || !isDisclosureLevel(level) || !isTimely) return [];
      if (held === undefined && ++newCount > room) return [];
      return [this.#choice(upstream, { level, sinceMs, saidMs, byCommand: true })];
    });
  }

  #choice(upstream: string, of: MessageInitShape<typeof DisclosureChoiceSchema>): Choice {
    const choice = create(DisclosureChoiceSchema, of);
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
