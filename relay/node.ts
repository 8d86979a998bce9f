import { create, fromBinary } from "@bufbuild/protobuf";
import { type PeerMessage, UnreportedSchema } from "../gen/headwater/v1/fanout_pb.ts";
import { JoinTokenSchema } from "../gen/headwater/v1/mesh_pb.ts";
import { confirm, renewHops, type Source } from "./advance.ts";
import { takeArrival } from "./arrival.ts";
import { groupRecords } from "./durable.ts";
import { answered, type Effect, logged, type Write } from "./effect.ts";
import type { Event, Moment, OperatorEvent, Peer } from "./event.ts";
import { mayHave } from "./link/admissions.ts";
import { refuse } from "./link/downlinks.ts";
import { type Arrival, Inbox, projectsOf } from "./link/inbox.ts";
import { operate, upstreamOf } from "./operations.ts";
import { giveBack, hearAhead } from "./outrun.ts";
import { assembleParts, type NodeParts } from "./parts.ts";
import { quoted } from "./quoted.ts";
import { Random } from "./random.ts";
import { Reads } from "./reads.ts";
import { notDurable, type Outcome, refused, telemetryOff } from "./refusal.ts";
import type { NodeSettings } from "./settings.ts";
import { hearWord } from "./site/site-word.ts";
import { tellPeers } from "./site/tell-peers.ts";
import { receivedWrite } from "./telemetry/received.ts";
import { takeReport } from "./telemetry/take-report.ts";
import type { Admission } from "./trust/children.ts";
import { Upkeep } from "./upkeep.ts";

type Of<K extends Event["kind"]> = Extract<Event, { kind: K }>;

/** Something that waits to be durable. */
interface Staged {
  accept(): readonly Effect[];
  fail(why: string): readonly Effect[];
}

/**
 * The whole node as one machine: `step(event) -> effects`. It touches no clock, socket, file,
 * random source, log or promise; the same settings and events always give the same effects.
 */
export class Node {
  readonly reads: Reads;
  readonly #parts: NodeParts;
  readonly #random: Random;
  /** What the peers of the site say, whichever of them says it. */
  #peerInbox: Inbox;
  readonly #upkeep: Upkeep;
  #staged: Staged | undefined;

  constructor(settings: NodeSettings, at: Moment) {
    const records = groupRecords(settings.records);
    this.#random = new Random(settings.seed);
    this.#parts = assembleParts({ settings, records, random: this.#random, at });
    this.reads = new Reads(this.#parts);
    this.#upkeep = new Upkeep(this.#parts);
    this.#peerInbox = new Inbox(this.#parts.holdings.ledgers);
    for (const upstream of settings.upstreams) this.#parts.uplinks.add(upstream, at.monoMs);
    for (const bytes of records.get("upstream")?.values() ?? [])
      this.#parts.uplinks.add(upstreamOf(fromBinary(JoinTokenSchema, bytes)), at.monoMs);
  }

  /** When the next `tick` is due, at the latest. */
  get wakeAtMonoMs(): number {
    const { downlinks, uplinks, peers } = this.#parts;
    const due = [downlinks.dueAtMonoMs, uplinks.dueAtMonoMs, peers.dueAtMonoMs];
    const known = due.filter((one) => one !== undefined);
    return Math.min(this.#upkeep.dueAtMonoMs, ...known);
  }

  step(event: Event): Effect[] {
    if (event.kind === "persisted" || event.kind === "persist-failed") return this.#settle(event);
    if (this.#staged !== undefined)
      throw new Error(`${event.kind} came before the outcome of persist`);
    return this.#handle(event);
  }

  #handle(event: Exclude<Event, Of<"persisted"> | Of<"persist-failed">>): Effect[] {
    const { downlinks, uplinks, peers } = this.#parts;
    switch (event.kind) {
      case "tick":
        return this.#tick(event.at);
      case "stopping":
        return this.#stop(event.at);
      case "child-opened":
        return this.#childOpened(event);
      case "child-flushed":
        return downlinks.flushed({ ...event, id: event.link, monoMs: event.at.monoMs });
      case "child-closed":
        downlinks.closed(event.link);
        this.#parts.admissions.close(event.link);
        return [];
      case "child-confirmed":
        return this.#childConfirmed(event);
      case "ledger-given-back":
        return this.#ledgerGivenBack(event);
      case "document-received":
        return this.#documentReceived(event);
      case "upstream-frame":
        return this.#upstreamFrame(event);
      case "upstream-closed":
        uplinks.closed(event.upstream, event.why, event.at.monoMs);
        return [
          ...renewHops(this.#parts, event.at),
          logged("info", "upstream-closed", `${event.upstream}: ${event.why}`),
        ];
      case "document-answered":
        return this.#documentAnswered(event);
      case "peer-spoke":
        return this.#peerSpoke(event);
      case "peer-asked":
        return [answered(event.call, this.#answerPeer(event))];
      case "fanout-changed":
        peers.connected = event.connected;
        // What peers have heard meanwhile was not heard here.
        this.#parts.telemetry?.censuses.interrupt(event.at.wallMs);
        peers.problem = event.problem;
        if (event.connected) peers.askAll();
        return [
          logged(event.connected ? "info" : "warn", "fanout-changed", event.problem || "connected"),
        ];
      case "report":
        return this.#report(event);
      case "app-unreported":
        return this.#overhear(event);
      case "watch-opened":
        return this.#watch(event, 1);
      case "watch-closed":
        return this.#watch(event, -1);
      case "prepare-ledger":
      case "create-ledger":
      case "commit":
      case "update-trust":
      case "promote":
      case "add-child":
      case "revoke-child":
      case "join":
      case "set-disclosure":
      case "set-enrollment":
      case "start-rollout":
      case "change-rollout":
      case "add-token":
      case "revoke-token":
        return this.#operate(event);
    }
  }

  /** Something is made durable first; it is the last effect of its step. */
  #stage(writes: readonly Write[], staged: Staged): Effect[] {
    if (writes.length === 0) return [...staged.accept()];
    this.#staged = staged;
    return [{ kind: "persist", writes }];
  }

  #settle(event: Of<"persisted"> | Of<"persist-failed">): Effect[] {
    const staged = this.#staged;
    if (staged === undefined) throw new Error(`${event.kind}, and nothing was to be persisted`);
    this.#staged = undefined;
    if (event.kind === "persisted") return [...staged.accept()];
    return [logged("error", "persist-failed", event.why), ...staged.fail(event.why)];
  }

  #operate(event: Event & OperatorEvent): Effect[] {
    const operation = operate(this.#parts, event);
    if (!operation.ok) return [answered(event.call, operation)];
    return this.#stage(operation.value.writes, {
      accept: () => {
        const { value, effects } = operation.value.accept();
        return [...effects, answered(event.call, value)];
      },
      fail: (why) => [answered(event.call, notDurable(why))],
    });
  }

  #childOpened(event: Of<"child-opened">): Effect[] {
    const site = this.#authenticate(event.peer, event.at);
    if (!site.ok) {
      const message = `a node was turned away: ${site.refusal.message}`;
      return [
        ...refuse(event.link, { reason: "REVOKED" }),
        logged("warn", "child-refused", message),
      ];
    }
    const { link: id, at } = event;
    const admission = site.value;
    this.#parts.admissions.open(id, admission);
    // What its token does not name is not there, for this child.
    const holdings = event.request.holdings.filter(
      ({ ledger }) => ledger === undefined || mayHave(admission, ledger.project),
    );
    const request = { ...event.request, holdings };
    return this.#parts.downlinks.open({ id, site: admission.site, request, monoMs: at.monoMs });
  }

  #childConfirmed(event: Of<"child-confirmed">): Effect[] {
    const { call, request, at } = event;
    const site = this.#authenticate(event.peer, at);
    if (!site.ok) return [answered(call, site)];
    const confirmed = this.#parts.downlinks.confirmed(site.value.site, request, at.monoMs);
    if (!confirmed.ok) return [answered(call, confirmed)];
    const from = `child ${site.value.site}`;
    const ahead = hearAhead(this.#parts, { proofs: request.ahead, from, at });
    const staged = this.#stage(ahead.writes, {
      accept: () => [...ahead.accept(), answered(call, {})],
      fail: (why) => [answered(call, notDurable(why))],
    });
    return [...confirmed.value, ...staged];
  }

  /** Answered before it is durable: what is lost is given back again at the next link. */
  #ledgerGivenBack({ call, peer, request, at }: Of<"ledger-given-back">): Effect[] {
    const site = this.#authenticate(peer, at);
    if (!site.ok) return [answered(call, site)];
    const child = `${site.value.site}/${request.node}`;
    const arrival = this.#parts.returns.hear(child, request, at.wallMs);
    if (arrival.ok)
      return [answered(call, {}), ...this.#arrive(arrival.value, { kind: "child", id: child }, at)];
    const why = `${child} gave back what does not check: ${arrival.refusal.message}`;
    return [answered(call, arrival), logged("warn", "frame-refused", why)];
  }

  #documentReceived(event: Of<"document-received">): Effect[] {
    const { call, document, at } = event;
    const { received, censuses } = this.#parts.telemetry ?? {};
    const site = this.#authenticate(event.peer, at);
    if (!site.ok) return [answered(call, site)];
    if (received === undefined) return [answered(call, { outcome: "TELEMETRY_OFF" })];
    const isServed = this.#parts.holdings.projects.has(document.project);
    if (!isServed || !mayHave(site.value, document.project))
      return [answered(call, { outcome: "UNKNOWN_PROJECT" })];
    const prepared = received.prepare(site.value.site, document, at.wallMs);
    if (!prepared.ok) return [answered(call, prepared)];
    const record = prepared.value;
    if (record === "REPEATED") return [answered(call, { outcome: "REPEATED" })];
    const census = censuses?.hearChild(site.value.site, document, at.wallMs);
    return this.#stage([...receivedWrite(record), ...(census?.writes ?? [])], {
      accept: () => {
        received.accept(record);
        census?.accept();
        const message = `${site.value.site}: ${document.kind} of ${document.project}`;
        return [
          answered(call, { outcome: "ACCEPTED" }),
          ...tellPeers(this.#parts, { received: [record.received] }),
          logged("info", "document-received", message),
        ];
      },
      fail: (why) => [answered(call, notDurable(why))],
    });
  }

  #authenticate(peer: Peer, at: Moment): Outcome<Admission> {
    return this.#parts.children.authenticate(peer, at.wallMs);
  }

  #upstreamFrame({ upstream: id, frame: { frame }, at }: Of<"upstream-frame">): Effect[] {
    const { arrival, effects } = this.#parts.uplinks.hear(id, frame, at);
    if (frame.case === "offer" || frame.case === "welcome" || effects.length > 0)
      effects.push(...renewHops(this.#parts, at));
    if (frame.case === "offer" && frame.value.outcome === "BEHIND")
      effects.push(confirm(this.#parts, id, []), ...giveBack(this.#parts, id, frame.value));
    return [...effects, ...this.#arrive(arrival, { kind: "upstream", id }, at)];
  }

  #peerSpoke({ message, at }: Of<"peer-spoke">): Effect[] {
    const { peers, holdings, telemetry } = this.#parts;
    peers.heard(message, at.monoMs);
    telemetry?.censuses.hearPeer(message, at.wallMs);
    switch (message.body.case) {
      case "report":
        takeReport(this.#parts, message.body.value, { at, isOwn: false });
        return [];
      case "unreported":
        telemetry?.censuses.overhear(message.body.value.project, at.wallMs);
        return [];
      case "children":
      case "consents":
      case "records":
      case "pins": {
        const word = hearWord(this.#parts, message.body, at);
        return [...word.effects, ...this.#stage(word.writes, { ...word, fail: () => [] })];
      }
      case "frame": {
        const arrival = this.#peerInbox.hear(message.body.value.frame, at.wallMs);
        if (arrival.ok) return this.#arrive(arrival.value, { kind: "peers" }, at);
        return [logged("warn", "frame-refused", `${message.node}: ${arrival.refusal.message}`)];
      }
      case "alive":
      case undefined:
        if (holdings.pins.length === 0) peers.ask();
        return [];
    }
  }

  #answerPeer({ ask, at }: Of<"peer-asked">): PeerMessage[] {
    const { peers, memory } = this.#parts;
    const lacking = ask.records === undefined ? [] : memory.lacking(ask.records, at.wallMs);
    return peers.answer(ask, this.#parts, lacking);
  }

  #arrive(arrival: Arrival, source: Source, at: Moment): Effect[] {
    const taken = takeArrival(this.#parts, { arrival, source, at });
    const staged = this.#stage(taken.writes, {
      // Who waits for data that is FRESH does not wait for the next look.
      accept: () => [...taken.accept(), ...this.#upkeep.exposeFreshness(at, projectsOf(arrival))],
      fail: (why) => taken.fail(why),
    });
    return [...taken.effects, ...staged];
  }

  #report({ call, report, at }: Of<"report">): Effect[] {
    const { telemetry, peers, holdings } = this.#parts;
    if (telemetry === undefined) return [answered(call, telemetryOff())];
    if (!holdings.projects.has(report.project))
      return [
        answered(call, refused("unknown", `project: ${quoted(report.project)} is not held here`)),
      ];
    if (!takeReport(this.#parts, report, { at, isOwn: true }))
      return [answered(call, refused("limit", "instance: too many report here"))];
    const everyMs = telemetry.reportEveryMs;
    const nextAfterMs = Math.floor(everyMs * (0.9 + 0.1 * this.#random.fraction()));
    const heard = peers.passOn({ case: "report", value: report });
    return [...heard, answered(call, { nextAfterMs })];
  }

  /** The nodes of a site answer as one. */
  #overhear({ project, at }: Of<"app-unreported">): Effect[] {
    const { peers, telemetry } = this.#parts;
    telemetry?.censuses.overhear(project, at.wallMs);
    const value = create(UnreportedSchema, { project });
    return peers.passOn({ case: "unreported", value });
  }

  #watch({ project, version }: Of<"watch-opened"> | Of<"watch-closed">, by: 1 | -1): Effect[] {
    this.#parts.holdings.projects.get(project)?.watch(version, by);
    return [];
  }

  #documentAnswered({ upstream, document, outcome, at }: Of<"document-answered">): Effect[] {
    const { outbox } = this.#parts.telemetry ?? {};
    if (outbox === undefined) return [];
    const answer = outbox.answered(upstream, document, outcome);
    const { writes, again, settled } = answer;
    return this.#stage(writes, {
      accept: () => {
        answer.accept();
        if (again) this.#upkeep.submitAgain({ upstream, document, at });
        const message = `${document.kind} of ${document.project} to ${upstream}: ${outcome}`;
        const told = settled === undefined ? [] : tellPeers(this.#parts, { sent: [settled] });
        return [...told, logged("info", "document-sent", message)];
      },
      fail: () => [],
    });
  }

  /** What the others of the site have to know once this node hears nothing more. */
  #stop(at: Moment): Effect[] {
    const { censuses } = this.#parts.telemetry ?? {};
    if (censuses === undefined) return [];
    censuses.stop(at.wallMs);
    const due = censuses.due(at.wallMs);
    return this.#stage(due.writes, {
      accept: () => {
        due.accept();
        return tellPeers(this.#parts, { evidence: [...due.told] });
      },
      fail: () => [],
    });
  }

  #tick(at: Moment): Effect[] {
    const { downlinks, uplinks, peers, holdings, memory, settings } = this.#parts;
    const { consents } = this.#parts.telemetry ?? {};
    const effects = [
      ...uplinks.tick(at),
      ...downlinks.tick(at.monoMs),
      ...peers.tick({
        monoMs: at.monoMs,
        ledgers: [...holdings.ledgers.values()],
        written: new Set(holdings.writers.keys()),
        children: this.#parts.children.digest,
        ...(consents && { consents: consents.digest }),
        records: (withTrials) => memory.digests({ wallMs: at.wallMs, withTrials }),
        trialsEveryMs: settings.healthWindowMs / 2,
      }),
      ...this.#upkeep.tick(at),
    ];
    const { writes, accept } = this.#upkeep.work(at);
    return [...effects, ...this.#stage(writes, { accept, fail: () => [] })];
  }
}
