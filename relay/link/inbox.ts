import type { Envelope, LedgerName } from "../../gen/headwater/v1/ledger_pb.ts";
import type {
  Delta,
  Heartbeat,
  ReplicateResponse,
  SnapshotBegin,
  SnapshotChunk,
  SnapshotEnd,
  TrustUpdate,
} from "../../gen/headwater/v1/mesh_pb.ts";
import type { Heard } from "../ledger/delta.ts";
import { hearDelta } from "../ledger/delta.ts";
import { presentBeat, vouchedMsOf } from "../ledger/freshness.ts";
import { isAbout, openBeat, type SignedBeat } from "../ledger/head.ts";
import type { Ledger, LedgerChange } from "../ledger/ledger.ts";
import { type LedgerId, ledgerId } from "../ledger/position.ts";
import { SnapshotAssembly } from "../ledger/snapshot.ts";
import { assembliesCountMax } from "../limits.ts";
import { done, type Outcome, type Refusal, refused } from "../refusal.ts";
import { bytesEqual } from "../trust/key.ts";
import { missingTrust } from "../trust/said-trust.ts";
import { extendTrust, type Trusted, trustDigest } from "../trust/trusted.ts";

/** What a frame comes to, checked and not yet made durable. */
export type Arrival =
  | { readonly kind: "change"; readonly ledger: Ledger; readonly change: LedgerChange }
  | { readonly kind: "trust"; readonly ledger: Ledger; readonly trusted: Trusted }
  /** Beats of some ledgers, and what is wrong with those of others. */
  | {
      readonly kind: "beats";
      readonly beats: readonly ArrivedBeat[];
      readonly troubles: readonly Trouble[];
    }
  /** True and of use, but nothing new. */
  | { readonly kind: "known" }
  /** A part of something larger. */
  | { readonly kind: "partial" }
  | { readonly kind: "resync"; readonly ledger: Ledger; readonly why: string };

/** Why nothing more of a ledger is taken from a source for now. */
export interface Trouble {
  readonly ledger: Ledger;
  readonly why: string;
  /** Whether the source lies or is broken; else something was lost on the way. */
  readonly isWrong: boolean;
}

interface ArrivedBeat {
  readonly ledger: Ledger;
  readonly beat: SignedBeat;
}

/**
 * Frames from one source, whichever it is: an upstream, or the peers of the site. Every byte is
 * checked here and nowhere else. A refusal means that the source lies or is broken, about one ledger:
 * what it says of others is judged by itself.
 */
export class Inbox {
  readonly #ledgers: ReadonlyMap<LedgerId, Ledger>;
  readonly #assemblies = new Map<LedgerId, SnapshotAssembly>();

  constructor(ledgers: ReadonlyMap<LedgerId, Ledger>) {
    this.#ledgers = ledgers;
  }

  /** Frames of ledgers that are not held here come to nothing. */
  hear(frame: ReplicateResponse["frame"], wallMs: number): Outcome<Arrival> {
    switch (frame.case) {
      case "trustUpdate":
        return this.#trust(frame.value);
      case "delta":
        return this.#delta(frame.value, wallMs);
      case "snapshotBegin":
        return this.#begin(frame.value, wallMs);
      case "snapshotChunk":
        return this.#chunk(frame.value);
      case "snapshotEnd":
        return this.#end(frame.value, wallMs);
      case "heartbeat":
        return this.#beats(frame.value, wallMs);
      case "welcome":
      case "offer":
      case "goodbye":
      case undefined:
        return done({ kind: "partial" });
    }
  }

  #ledger(name: LedgerName | undefined): Ledger | undefined {
    return name === undefined ? undefined : this.#ledgers.get(ledgerId(name));
  }

  #trust(update: TrustUpdate): Outcome<Arrival> {
    const ledger = this.#ledger(update.ledger);
    if (ledger === undefined || update.trust === undefined) return done({ kind: "known" });
    const trusted = extendTrust(ledger.name, ledger.trusted, update.trust);
    if (!trusted.ok) return trusted;
    if (bytesEqual(trustDigest(ledger.trusted), trustDigest(trusted.value)))
      return done({ kind: "known" });
    return done({ kind: "trust", ledger, trusted: trusted.value });
  }

  #delta(delta: Delta, wallMs: number): Outcome<Arrival> {
    const ledger = this.#ledger(delta.ledger);
    if (ledger === undefined) return done({ kind: "known" });
    if (ledger.trusted === undefined) return done({ kind: "resync", ledger, why: "no trust yet" });
    return arrivalOf(ledger, hearDelta(ledger, delta, { trusted: ledger.trusted, wallMs }));
  }

  #begin(begin: SnapshotBegin, wallMs: number): Outcome<Arrival> {
    const ledger = this.#ledger(begin.ledger);
    if (ledger === undefined) return done({ kind: "known" });
    if (ledger.trusted === undefined) return done({ kind: "resync", ledger, why: "no trust yet" });
    if (!this.#assemblies.has(ledger.id) && this.#assemblies.size >= assembliesCountMax)
      return refused("limit", `snapshot_begin: more than ${assembliesCountMax} at once`);
    const assembly = SnapshotAssembly.open(ledger, begin, { trusted: ledger.trusted, wallMs });
    if (!assembly.ok) return assembly;
    this.#assemblies.set(ledger.id, assembly.value);
    return done({ kind: "partial" });
  }

  #chunk(chunk: SnapshotChunk): Outcome<Arrival> {
    const ledger = this.#ledger(chunk.ledger);
    const assembly = ledger === undefined ? undefined : this.#assemblies.get(ledger.id);
    if (ledger === undefined || assembly === undefined) return done({ kind: "known" });
    const refusal = assembly.add(chunk);
    if (refusal === undefined) return done({ kind: "partial" });
    this.#assemblies.delete(ledger.id);
    return { ok: false, refusal };
  }

  #end(end: SnapshotEnd, wallMs: number): Outcome<Arrival> {
    const ledger = this.#ledger(end.ledger);
    const assembly = ledger === undefined ? undefined : this.#assemblies.get(ledger.id);
    if (ledger?.trusted === undefined || assembly === undefined) return done({ kind: "known" });
    this.#assemblies.delete(ledger.id);
    return arrivalOf(ledger, assembly.end({ trusted: ledger.trusted, wallMs }));
  }

  ledger(name: LedgerName): Ledger | undefined {
    return this.#ledgers.get(ledgerId(name));
  }

  byId(id: LedgerId): Ledger | undefined {
    return this.#ledgers.get(id);
  }

  /** Whether parts of a snapshot are waited for. */
  isAssembling(id: LedgerId): boolean {
    return this.#assemblies.has(id);
  }

  /** The same of any snapshot. */
  get isWaiting(): boolean {
    return this.#assemblies.size > 0;
  }

  /** What was begun of a ledger is forgotten. */
  drop(id: LedgerId): void {
    this.#assemblies.delete(id);
  }

  #beats(heartbeat: Heartbeat, wallMs: number): Outcome<Arrival> {
    const beats = new Map<LedgerId, ArrivedBeat>();
    const troubles = new Map<LedgerId, Trouble>();
    const seen = new Set<LedgerId>();
    for (const { ledger: name, beat: envelope } of heartbeat.beats) {
      const ledger = this.#ledger(name);
      if (ledger === undefined || troubles.has(ledger.id)) continue;
      // An honest source sends one; checking many would take the time of others.
      const heard = seen.has(ledger.id)
        ? wrong(ledger, "beats: two of one ledger")
        : this.#beat(ledger, envelope, wallMs);
      seen.add(ledger.id);
      if (heard === undefined) continue;
      if ("beat" in heard) beats.set(ledger.id, heard);
      else troubles.set(ledger.id, heard);
    }
    for (const id of troubles.keys()) beats.delete(id);
    if (beats.size === 0 && troubles.size === 0) return done({ kind: "known" });
    return done({
      kind: "beats",
      beats: [...beats.values()],
      troubles: [...troubles.values()],
    });
  }

  /**
   * Beats come after everything they vouch for was handed over, so one about a newer head than the
   * one held, or by who knows of more roots or grants, means that something was lost on the way. Undefined: it is no news.
   */
  #beat(
    ledger: Ledger,
    envelope: Envelope | undefined,
    wallMs: number,
  ): ArrivedBeat | Trouble | undefined {
    if (envelope === undefined) return wrong(ledger, "beats: one without an envelope");
    const { head, trusted } = ledger;
    if (head === undefined || trusted === undefined)
      return { ledger, why: "a beat, and nothing is held", isWrong: false };
    const beat = openBeat(envelope, { trusted, wallMs });
    if (!beat.ok) return wrong(ledger, textOf(beat.refusal));
    const missing = missingTrust(trusted, beat.value.beat);
    if (missing !== undefined)
      return { ledger, why: `its beat knows of ${missing}`, isWrong: false };
    if (isAbout(beat.value, head))
      return beat.value.issuedMs > (presentBeat(ledger.beat, wallMs)?.issuedMs ?? 0)
        ? { ledger, beat: beat.value }
        : undefined;
    if (beat.value.issuedMs <= vouchedMsOf({ head, beat: ledger.beat }, wallMs)) return undefined;
    return { ledger, why: "a beat about a head that has not come", isWrong: false };
  }
}

/** Those whose freshness may be another once an arrival counts. */
export function projectsOf(arrival: Arrival): string[] {
  if (arrival.kind === "change") return [arrival.ledger.name.project];
  if (arrival.kind === "beats") return arrival.beats.map(({ ledger }) => ledger.name.project);
  return [];
}

/** What does not check, in one sentence. */
export function wrong(ledger: Ledger, why: string): Trouble {
  return { ledger, why, isWrong: true };
}

export function textOf({ message, hint }: Refusal): string {
  return hint === undefined ? message : `${message}. ${hint}`;
}

function arrivalOf(ledger: Ledger, heard: Outcome<Heard>): Outcome<Arrival> {
  if (!heard.ok) return heard;
  return done(heard.value.kind === "known" ? heard.value : { ...heard.value, ledger });
}
