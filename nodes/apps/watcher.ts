import { create } from "@bufbuild/protobuf";
import { type WatchResponse, WatchResponseSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { staleAfterMs } from "../../relay/cadence.ts";
import type { Standing } from "./standing.ts";
import type { Onlooker, WatchGroup } from "./watch-group.ts";

/** How long an app waits for a node that is behind; its flags are labelled STALE meanwhile. */
const behindMsMax = staleAfterMs;

/** Of a digest, which is what positions of tables are. */
const positionBytes = 32;

/** A stream that has been silent for so many rounds, less one, is owed a heartbeat. */
export const roundsPerHeartbeat = 4;

/** What one app has, and so what it is owed: never more than one frame, that leads to now. */
export class Watcher implements Onlooker {
  readonly version: string;
  /** Whether the app says that it reports too. */
  readonly reports: boolean;
  group: WatchGroup<Watcher>;
  /** The stream to the app: what it watches may have moved, and it may take what is owed. */
  readonly #sink: Onlooker;
  /** Of the table that the app has; empty when it has none. */
  #position: Uint8Array;
  /** As the app was last told; empty before it was. */
  #freshness = "";
  #silentRoundsCount = 0;
  /** What the app has had from another node, and until when this one has the time to catch up. */
  #awaited: { readonly progress: bigint; readonly untilMonoMs: number } | undefined;

  constructor(of: {
    version: string;
    position: Uint8Array;
    /** Of the table that the app has. */
    progress: bigint;
    reports: boolean;
    group: WatchGroup<Watcher>;
    sink: Onlooker;
  }) {
    this.version = of.version;
    this.reports = of.reports;
    this.group = of.group;
    this.#sink = of.sink;
    // A copy: what came is a part of the whole request. What is no position is not kept.
    this.#position = of.position.slice(0, of.position.length === positionBytes ? positionBytes : 0);
    this.#awaited = { progress: of.progress, untilMonoMs: of.group.monoMs + behindMsMax };
  }

  see(now: Standing): void {
    this.#sink.see(now);
  }

  /** Some time has passed: after a few such rounds without a frame a heartbeat is owed. */
  passRound(): void {
    this.#silentRoundsCount++;
  }

  /** The frame that is owed; undefined when the app has all that there is. */
  take(now: Standing = this.group.now()): WatchResponse | undefined {
    if (this.#isAhead(now)) return this.#heartbeat(now, "STALE");
    const step = now.stepFrom(this.#position);
    if (step === undefined) return this.#heartbeat(now, now.freshness);
    this.#position = step.position;
    this.#told(now.freshness);
    return step.message;
  }

  /**
   * An app that comes from a node that knew more keeps what it has, until this node has caught up;
   * a node that never does, such as one on an old copy of its data, is taken at its word in the end.
   */
  #isAhead(now: Standing): boolean {
    const awaited = this.#awaited;
    if (awaited === undefined || now.position === undefined) return false;
    if (now.progress < awaited.progress && this.group.monoMs < awaited.untilMonoMs) return true;
    this.#awaited = undefined;
    return false;
  }

  /** When the app was told of another freshness, or of none at all for some time. */
  #heartbeat({ progress }: Standing, freshness: string): WatchResponse | undefined {
    const isDue = this.#silentRoundsCount >= roundsPerHeartbeat - 1;
    if (freshness === this.#freshness && !isDue) return undefined;
    this.#told(freshness);
    const value = { position: this.#position, freshness, progress };
    return create(WatchResponseSchema, { frame: { case: "heartbeat", value } });
  }

  #told(freshness: string): void {
    this.#freshness = freshness;
    this.#silentRoundsCount = 0;
  }
}
