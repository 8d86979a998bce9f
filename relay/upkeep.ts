import type { ProjectPin } from "../gen/headwater/v1/mesh_pb.ts";
import { advanceBeats, renewHops } from "./advance.ts";
import { beatIntervalMs } from "./cadence.ts";
import { beatWrite } from "./durable.ts";
import { type Effect, logged, type Write } from "./effect.ts";
import type { Moment } from "./event.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { Writer } from "./ledger/writer.ts";
import { vouchedPins } from "./libraries.ts";
import { projectsCountMax } from "./limits.ts";
import { redial } from "./operations/joining.ts";
import { damageProblems, outrunPosition } from "./outrun.ts";
import type { NodeParts } from "./parts.ts";
import { reactionTo } from "./reaction.ts";
import { renewalOf } from "./renewal.ts";
import { ramp } from "./rollout/ramp.ts";
import { tellPeers } from "./site/tell-peers.ts";
import type { TrialNews } from "./telemetry/trial/trials.ts";
import { toHex } from "./trust/key.ts";

/** How often is looked at what changes without an event: freshness, grants, silent instances. */
const lookIntervalMs = 1_000;

/** Keys that one line of the log names. */
const keysToldMax = 20;

const nothing: ReturnType<typeof ramp> = { writes: [], accept: () => [] };

/** What a node does by itself as time passes. */
export class Upkeep {
  readonly #parts: NodeParts;
  /** What was last found to have no effect, by ledger and reason: it is told once. */
  readonly #told = new Map<string, ReadonlySet<string>>();
  /** Verdicts that nobody has been told of yet: a kill may follow, so not while nothing is signed. */
  #news: readonly TrialNews[] = [];
  #hasToldDamaged = false;
  #lookedAtMonoMs = Number.NEGATIVE_INFINITY;
  #rampedAtMonoMs = Number.NEGATIVE_INFINITY;

  constructor(parts: NodeParts) {
    this.#parts = parts;
  }

  get dueAtMonoMs(): number {
    return this.#lookedAtMonoMs + lookIntervalMs;
  }

  /** What needs no write. */
  tick(at: Moment): Effect[] {
    const { telemetry } = this.#parts;
    return [...this.#look(at), ...(telemetry?.resubmissions.due(at, telemetry.outbox) ?? [])];
  }

  /**
   * What is written now and then, in one go: beats of our own ledgers, documents that are due, what
   * trials have counted and what follows from it.
   */
  work(at: Moment): { writes: Write[]; accept: () => Effect[] } {
    const { holdings, telemetry, uplinks, trials, oldCopy } = this.#parts;
    const copy = oldCopy.ending(at);
    this.#news = [...this.#news, ...(trials?.look(at.wallMs) ?? [])];
    const news = oldCopy.isWaiting(at) ? [] : this.#news;
    const reaction = reactionTo(this.#parts, news, at);
    // Of one ledger there is one change in a step.
    const mayRenew = reaction.writes.length === 0 && !oldCopy.isWaiting(at);
    const renewal = mayRenew ? renewalOf(this.#parts, at) : undefined;
    const beats = [...holdings.writers].flatMap(([id, writer]) => {
      const ledger = holdings.ledgers.get(id);
      // The head of an old copy is not the newest.
      if (ledger === undefined || oldCopy.holdsBack(id, at)) return [];
      if (renewal?.ledgers.has(ledger)) return [];
      if (outrunPosition(holdings, ledger) !== undefined) return [];
      return beatDue(ledger, writer, at);
    });
    const choices = uplinks.all.flatMap(
      ({ settings }) => telemetry?.consents.adoptEnvironment(settings.id, at.wallMs) ?? [],
    );
    const turn = this.#parts.peers.turn(at.monoMs);
    const due = [...holdings.projects.values()].flatMap((project) => {
      const primary = uplinks.primaryOf(project.ownLedger.id);
      return primary === undefined
        ? []
        : (telemetry?.outbox.due(primary.settings.id, project, at.wallMs, turn) ?? []);
    });
    const pins = vouchedPinsOf(holdings);
    const isUrgent = news.length > 0;
    const counted = trials?.due({ projects: holdings.projects, isUrgent, wallMs: at.wallMs });
    const crashed = telemetry?.crashes.due(at.wallMs);
    const census = telemetry?.censuses.due(at.wallMs);
    const ramped = (renewal?.ledgers.size ?? 0) > 0 ? nothing : this.#ramp(at);
    const accept = (): Effect[] => {
      this.#news = this.#news.slice(news.length);
      for (const kept of [counted, crashed, census]) kept?.accept();
      for (const pin of pins) holdings.pin(pin);
      for (const accepted of [copy, ...choices, ...due]) accepted.accept();
      const sends = due.map(
        ({ upstream, document }): Effect => ({ kind: "submit-document", upstream, document }),
      );
      if (beats.length > 0)
        sends.push(...advanceBeats(this.#parts, { beats, source: { kind: "here" }, at }));
      if (pins.length > 0)
        sends.push(
          ...redial(this.#parts, { pins, at }),
          this.#parts.peers.publish(this.#parts.peers.seal.pins(holdings.pins)),
        );
      sends.push(...tellPeers(this.#parts, { evidence: [...(census?.told ?? [])] }));
      return [...sends, ...(renewal?.accept() ?? []), ...reaction.accept(), ...ramped.accept()];
    };
    const samples = telemetry?.samples.due(holdings.projects.values(), at.wallMs) ?? [];
    const writes = [
      ...copy.writes,
      ...(renewal?.writes ?? []),
      ...holdings.pinWrites(pins),
      ...beats.map(({ ledger, beat }) => beatWrite(ledger, beat)),
      ...choices.map(({ write }) => write),
      ...due.flatMap((document) => document.writes),
      ...samples,
      ...(counted?.writes ?? []),
      ...(crashed?.writes ?? []),
      ...(census?.writes ?? []),
      ...reaction.writes,
      ...ramped.writes,
    ];
    return { writes, accept };
  }

  #ramp(at: Moment): ReturnType<typeof ramp> {
    if (at.monoMs - this.#rampedAtMonoMs < lookIntervalMs) return nothing;
    this.#rampedAtMonoMs = at.monoMs;
    return ramp(this.#parts, at);
  }

  #look(at: Moment): Effect[] {
    if (at.monoMs - this.#lookedAtMonoMs < lookIntervalMs) return [];
    this.#lookedAtMonoMs = at.monoMs;
    const { holdings, telemetry, trials, admissions, downlinks, peers } = this.#parts;
    telemetry?.expire(at.wallMs);
    telemetry?.censuses.look(holdings.projects, at.wallMs, peers.alive(at.monoMs));
    const ended = admissions.ended(at.wallMs);
    trials?.close(holdings.projects, at.wallMs);
    for (const { frames } of holdings.served.values()) frames.look(at.wallMs);
    const folded = holdings.refold(at.wallMs);
    const { held } = this.#parts.ways;
    return [
      ...this.#tellDamaged(),
      ...downlinks.end(ended, "REVOKED"),
      ...folded.map((exposure): Effect => ({ kind: "expose", exposure })),
      ...this.#parts.freshness.expose(at),
      ...(held.size > 0 ? renewHops(this.#parts, at, [...held]) : []),
      ...this.#tellIdle(at),
      ...this.#parts.oldCopy.tell(at),
    ];
  }

  /** At the start. */
  #tellDamaged(): Effect[] {
    const { holdings } = this.#parts;
    if (this.#hasToldDamaged) return [];
    this.#hasToldDamaged = true;
    return damageProblems(holdings).map((what) => logged("error", "ledger-damaged", what));
  }

  /** Names entries without effect. */
  #tellIdle(at: Moment): Effect[] {
    return [...this.#parts.holdings.projects.values()].flatMap((project) =>
      project.ledgers.flatMap((ledger) => {
        const overlay = toHex(ledger.name.authority);
        const ungranted = {
          id: `ungranted ${ledger.id}`,
          keys: project.ungranted(ledger, at.wallMs),
          event: "overlay-ungranted",
          says: `${project.name}: without a grant, overlay ${overlay} has no say in`,
        };
        const whose = ledger === project.ownLedger ? "" : ` of overlay ${overlay}`;
        const misunderstood = {
          id: `misunderstood ${ledger.id}`,
          keys: [...(project.layerOf(ledger)?.misunderstood ?? [])],
          event: "entry-misunderstood",
          says: `${project.name}: entries${whose} that this version does not understand, so flags are off and rules nothing:`,
        };
        return [...this.#tellOnce(ungranted), ...this.#tellOnce(misunderstood)];
      }),
    );
  }

  /** Those that were named before are left out. */
  #tellOnce(of: { id: string; keys: readonly string[]; event: string; says: string }): Effect[] {
    const { id, keys, event, says } = of;
    const known = this.#told.get(id);
    if (keys.length === 0 && known === undefined) return [];
    this.#told.set(id, new Set(keys));
    const fresh = keys.filter((key) => known?.has(key) !== true).sort();
    if (fresh.length === 0) return [];
    const more = fresh.length > keysToldMax ? ` and ${fresh.length - keysToldMax} more` : "";
    return [logged("warn", event, `${says} ${fresh.slice(0, keysToldMax).join(", ")}${more}`)];
  }
}

/** When the clock was set back, the last beat is from the future, and no measure for the next. */
function beatDue(
  ledger: Ledger,
  writer: Writer,
  at: Moment,
): Parameters<typeof advanceBeats>[1]["beats"] {
  if (!writer.mayBeat(ledger, at.wallMs)) return [];
  const ageMs = at.wallMs - (ledger.beat?.issuedMs ?? 0);
  if (ageMs >= 0 && ageMs < beatIntervalMs) return [];
  const beat = writer.beat(ledger, at.wallMs);
  return beat === undefined ? [] : [{ ledger, beat }];
}

/** As many as there is room for. */
function vouchedPinsOf(holdings: NodeParts["holdings"]): ProjectPin[] {
  const pins = vouchedPins(holdings);
  const room = Math.max(0, projectsCountMax - holdings.pins.length);
  const fresh = holdings.newPins(pins.slice(0, room));
  return fresh.ok ? fresh.value : [];
}
