import { groupRecords } from "./durable.ts";
import { answered, type Effect, logged } from "./effect.ts";
import type { Event, EventOf, Moment, OperatorEvent } from "./event.ts";
import { answerReport, countWatch, overhearApp } from "./handlers/app.ts";
import {
  closeChild,
  confirmChild,
  openChild,
  takeDocument,
  takeGivenBack,
} from "./handlers/downstream.ts";
import { answerPeer, changeFanout, hearPeer } from "./handlers/site.ts";
import { passTime, stop } from "./handlers/time.ts";
import { closeUpstream, settleDocument, takeFrame } from "./handlers/upstream.ts";
import { joinedUpstreams } from "./operations/joining.ts";
import { operate } from "./operations/operations.ts";
import { assembleParts, type NodeParts } from "./parts.ts";
import { Random } from "./random.ts";
import { Reads } from "./reads/reads.ts";
import { notDurable } from "./refusal.ts";
import type { NodeSettings } from "./settings.ts";
import type { Staged } from "./staged.ts";
import { Upkeep } from "./upkeep.ts";

/**
 * The whole node as one machine: `step(event) -> effects`. It touches no clock, socket, file,
 * random source, log or promise; the same settings and events always give the same effects.
 */
export class Node {
  readonly reads: Reads;
  readonly #parts: NodeParts;
  readonly #upkeep: Upkeep;
  /** What waits to be durable. */
  #staged: Staged | undefined;

  constructor(settings: NodeSettings, at: Moment) {
    const records = groupRecords(settings.records);
    const random = new Random(settings.seed);
    this.#parts = assembleParts({ settings, records, random, at });
    this.reads = new Reads(this.#parts);
    this.#upkeep = new Upkeep(this.#parts);
    for (const upstream of settings.upstreams) this.#parts.uplinks.add(upstream, at.monoMs);
    for (const upstream of joinedUpstreams(records)) this.#parts.uplinks.add(upstream, at.monoMs);
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

  #handle(event: Exclude<Event, EventOf<"persisted" | "persist-failed">>): Effect[] {
    const parts = this.#parts;
    switch (event.kind) {
      case "tick":
        return this.#stage(passTime(parts, this.#upkeep, event.at));
      case "stopping":
        return this.#stage(stop(parts, event.at));
      case "child-opened":
        return openChild(parts, event);
      case "children-flushed":
        return event.flushed.flatMap((one) => parts.downlinks.flushed(one, event.at.monoMs));
      case "child-closed":
        closeChild(parts, event.link);
        return [];
      case "child-confirmed":
        return this.#stage(confirmChild(parts, event));
      case "ledger-given-back":
        return this.#stage(takeGivenBack(parts, event));
      case "document-received":
        return this.#stage(takeDocument(parts, event));
      case "upstream-frame":
        return this.#stage(takeFrame(parts, event));
      case "upstream-closed":
        return closeUpstream(parts, event);
      case "document-answered":
        return this.#stage(settleDocument(parts, event));
      case "peer-spoke":
        return this.#stage(hearPeer(parts, event));
      case "peer-asked":
        return [answered(event.call, answerPeer(parts, event))];
      case "fanout-changed":
        return changeFanout(parts, event);
      case "report":
        return answerReport(parts, event);
      case "app-unreported":
        return overhearApp(parts, event);
      case "watch-opened":
      case "watch-closed":
        countWatch(parts, event);
        return [];
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

  /** What has to be durable first is the last effect of its step. */
  #stage(staged: Staged): Effect[] {
    const { effects, writes } = staged;
    if (writes.length === 0) return [...effects, ...staged.accept()];
    this.#staged = staged;
    return [...effects, { kind: "persist", writes }];
  }

  #settle(event: EventOf<"persisted" | "persist-failed">): Effect[] {
    const staged = this.#staged;
    if (staged === undefined) throw new Error(`${event.kind}, and nothing was to be persisted`);
    this.#staged = undefined;
    this.#parts.disk.settled(event.kind === "persisted" ? "" : event.why);
    if (event.kind === "persisted") return [...staged.accept()];
    return [logged("error", "persist-failed", event.why), ...staged.fail(event.why)];
  }

  #operate(event: Event & OperatorEvent): Effect[] {
    const operation = operate(this.#parts, event);
    if (!operation.ok) return [answered(event.call, operation)];
    return this.#stage({
      effects: [],
      writes: operation.value.writes,
      accept: () => {
        const { value, effects } = operation.value.accept();
        return [...effects, answered(event.call, value)];
      },
      fail: (why) => [answered(event.call, notDurable(why))],
    });
  }
}
