import { formatDuration } from "../relay/duration.ts";
import type { Effect, Exposure, Write } from "../relay/effect.ts";
import type { CallId, Event, Moment } from "../relay/event.ts";
import { sentSharedMax } from "../relay/limits.ts";
import { Node } from "../relay/node.ts";
import type { Outcome } from "../relay/refusal.ts";
import type { NodeSettings } from "../relay/settings.ts";
import type { Happening, NodeAccess, NodeReads } from "./access.ts";
import { HeadwaterError } from "./error.ts";
import type { Fanout } from "./fanout/fanout.ts";
import type { Log } from "./log.ts";
import type { MeshClient } from "./mesh/client.ts";
import type { MeshServer } from "./mesh/server.ts";
import { damagedRecord } from "./store/damaged-record.ts";
import type { Store } from "./store/store.ts";

export interface Clock {
  now(): Moment;
}

/** What carries effects out. Parts that do not exist yet drop what is for them. */
export interface Ports {
  readonly server: Pick<MeshServer, "send" | "close">;
  readonly client: Pick<MeshClient, "dial" | "hangUp" | "submitDocument" | "confirm" | "giveBack">;
  readonly fanout: Pick<Fanout, "publish" | "ask">;
}

/** The longest that a timer is set for; the node is then asked again. */
const sleepMsMax = 60_000;

/** Where every event fails for so long it is no accident of one input, nor of a burst of them. */
const failingMsMax = 60_000;

/**
 * Turns the world into events and carries out the effects, in their order. It is the only place
 * that knows both sides, and knows no library.
 */
export class Driver implements NodeAccess {
  readonly #node: Node;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #waiting: Event[] = [];
  readonly #calls = new Map<CallId, (outcome: Outcome<unknown>) => void>();
  readonly #exposed = new Set<(exposure: Exposure) => void>();
  #ports: Ports | undefined;
  #callsCount = 0;
  #isStepping = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAtMonoMs = Number.POSITIVE_INFINITY;
  #isTimerDue = false;
  #isStopped = false;
  /** Since when no event could be dealt with. */
  #failingSinceMonoMs: number | undefined;

  constructor(of: {
    settings: Omit<NodeSettings, "records">;
    store: Store;
    clock: Clock;
    log: Log;
  }) {
    this.#store = of.store;
    this.#clock = of.clock;
    this.#log = of.log;
    const sentLatest = of.store.list({ bucket: "sent", prefix: "", limit: sentSharedMax });
    const records = of.store.load();
    try {
      this.#node = new Node({ ...of.settings, records, sentLatest }, of.clock.now());
    } catch (thrown) {
      // What the store itself says is wrong is more than what can be guessed from here.
      throw thrown instanceof HeadwaterError ? thrown : damagedRecord(of.store.load(), thrown);
    }
  }

  get reads(): NodeReads {
    return this.#node.reads;
  }

  /** From now on the node dials, speaks and keeps its rhythms. */
  start(ports: Ports): void {
    this.#ports = ports;
    this.tell({ kind: "tick" });
  }

  /** Nothing is carried out from now on. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    const stopping: Outcome<never> = {
      ok: false,
      refusal: { kind: "unavailable", message: "the node is stopping" },
    };
    for (const resolve of this.#calls.values()) resolve(stopping);
    this.#calls.clear();
  }

  now(): Moment {
    return this.#clock.now();
  }

  tell(happening: Happening): void {
    if (this.#isStopped) return;
    this.#waiting.push({ ...happening, at: this.now() } as Event);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift())
        this.#step(event);
    } finally {
      this.#isStepping = false;
    }
    this.#setTimerSoon();
  }

  ask<T>(happening: (call: CallId) => Happening): Promise<T> {
    const call = ++this.#callsCount;
    return new Promise<T>((resolve, reject) => {
      if (this.#isStopped)
        return reject(new HeadwaterError({ kind: "unavailable", message: "the node is stopping" }));
      this.#calls.set(call, (outcome) => {
        if (outcome.ok) resolve(outcome.value as T);
        else reject(HeadwaterError.refused(outcome.refusal));
      });
      this.tell(happening(call));
    });
  }

  onExpose(listener: (exposure: Exposure) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#exposed.add(listener);
    signal.addEventListener("abort", () => this.#exposed.delete(listener), { once: true });
  }

  get ailment(): string | undefined {
    const { monoMs } = this.now();
    const failingMs = monoMs - (this.#failingSinceMonoMs ?? monoMs);
    if (failingMs >= failingMsMax)
      return `no event could be dealt with for ${formatDuration(failingMs)}: see step-failed in the log`;
    const lateMs = monoMs - this.#node.wakeAtMonoMs;
    if (this.#ports === undefined || lateMs < sleepMsMax) return undefined;
    return `its rhythms are ${formatDuration(lateMs)} late`;
  }

  list(of: Parameters<NodeAccess["list"]>[0]): readonly Uint8Array[] {
    return this.#store.list(of);
  }

  /** What goes wrong inside is our fault: it is logged whole, and nobody else's call suffers. */
  #step(event: Event): void {
    try {
      this.#perform(this.#node.step(event));
      this.#failingSinceMonoMs = undefined;
    } catch (thrown) {
      this.#failingSinceMonoMs ??= event.at.monoMs;
      const message = `${event.kind} could not be dealt with`;
      this.#log.write({ level: "error", event: "step-failed", message, cause: thrown });
      if ("call" in event)
        this.#answer(event.call, { ok: false, refusal: { kind: "unavailable", message } });
    }
  }

  #perform(effects: readonly Effect[]): void {
    for (const effect of effects) this.#performOne(effect);
  }

  #performOne(effect: Effect): void {
    switch (effect.kind) {
      case "persist":
        return this.#persist(effect.writes);
      case "answer":
        return this.#answer(effect.call, effect.outcome);
      case "send":
        return this.#ports?.server.send(effect.link, effect.frame);
      case "close":
        return this.#ports?.server.close(effect.link);
      case "dial":
        return this.#ports?.client.dial(effect.dial);
      case "hang-up":
        return this.#ports?.client.hangUp(effect.upstream);
      case "submit-document":
        return this.#ports?.client.submitDocument(effect.upstream, effect.document);
      case "confirm":
        return this.#ports?.client.confirm(effect.upstream, effect.request);
      case "give-back":
        return this.#ports?.client.giveBack(effect.upstream, effect.requests);
      case "publish":
        return this.#ports?.fanout.publish(effect.message);
      case "ask-peer":
        return this.#ports?.fanout.ask(effect.ask);
      case "expose":
        return this.#expose(effect.exposure);
      case "log":
        return this.#log.write(effect.entry);
    }
  }

  #persist(writes: readonly Write[]): void {
    const outcome = this.#write(writes);
    this.#perform(this.#node.step({ ...outcome, at: this.now() }));
  }

  #write(
    writes: readonly Write[],
  ): { kind: "persisted" } | { kind: "persist-failed"; why: string } {
    try {
      this.#store.write(writes);
      return { kind: "persisted" };
    } catch (thrown) {
      return { kind: "persist-failed", why: HeadwaterError.from(thrown).text };
    }
  }

  #answer(call: CallId, outcome: Outcome<unknown>): void {
    const resolve = this.#calls.get(call);
    this.#calls.delete(call);
    resolve?.(outcome);
  }

  #expose(exposure: Exposure): void {
    for (const listener of this.#exposed) listener(exposure);
  }

  /** Once for all events of a turn of the event loop: it is worked out from every link that there is. */
  #setTimerSoon(): void {
    if (this.#isTimerDue) return;
    this.#isTimerDue = true;
    setImmediate(() => {
      this.#isTimerDue = false;
      this.#setTimer();
    });
  }

  #setTimer(): void {
    const atMonoMs = this.#node.wakeAtMonoMs;
    if (this.#isStopped || this.#ports === undefined || atMonoMs === this.#timerAtMonoMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMonoMs = atMonoMs;
    const waitMs = Math.min(sleepMsMax, Math.max(1, atMonoMs - this.now().monoMs));
    this.#timer = setTimeout(() => {
      this.#timerAtMonoMs = Number.POSITIVE_INFINITY;
      this.tell({ kind: "tick" });
    }, waitMs);
  }
}
