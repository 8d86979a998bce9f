import { create } from "@bufbuild/protobuf";
import { type WatchResponse, WatchResponseSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { staleAfterMs } from "../../relay/cadence.ts";
import { bytesEqual } from "../../relay/trust/key.ts";
import type { SharedDelta, Standing, WatchGroup } from "./watch-group.ts";

/** How long an app waits for a node that is behind; its flags are labelled STALE meanwhile. */
const behindMsMax = staleAfterMs;

/**
 * What one app is owed. Never more than one frame: what comes while a frame still waits to be taken
 * is made good with one that leads from what the app has to now.
 */
export class Watcher {
  readonly version: string;
  /** Whether the app says that it reports too. */
  readonly reports: boolean;
  group: WatchGroup;
  #owed: "nothing" | "rest" | SharedDelta = "nothing";
  #owesHeartbeat = false;
  #silentRoundsCount = 0;
  /** Of the table that the app has once it has taken what it is owed; empty when it has none. */
  #position: Uint8Array;
  /** As the app was last told, or will be with the delta that it is owed. */
  #freshness = "";
  readonly #onOwed: () => void;
  /** What the app has had from another node, and until when this one has the time to catch up. */
  #awaited: { readonly progress: bigint; readonly untilMonoMs: number } | undefined;

  constructor(of: {
    version: string;
    position: Uint8Array;
    /** Of the table that the app has. */
    progress: bigint;
    reports: boolean;
    group: WatchGroup;
    onOwed: () => void;
  }) {
    this.version = of.version;
    this.reports = of.reports;
    this.#position = of.position;
    this.#awaited = {
      progress: of.progress,
      untilMonoMs: of.group.now().monoMs + behindMsMax,
    };
    this.group = of.group;
    this.#onOwed = of.onOwed;
  }

  /** Offers a delta to an app that has taken everything and is where the delta starts. */
  oweDelta(delta: SharedDelta, now: Standing): void {
    if (this.#isAhead(now)) return;
    if (this.#owed !== "nothing" || !bytesEqual(this.#position, delta.previous)) return;
    this.#owed = delta;
    this.#position = delta.position;
    this.#freshness = delta.freshness;
    this.#onOwed();
  }

  /** Sees to it that what the app is owed brings it to the table and freshness of now. */
  catchUp(now: Standing): void {
    if (this.#isAhead(now)) return this.oweHeartbeat();
    if (now.position !== undefined && !bytesEqual(this.#position, now.position)) this.#oweRest();
    if (this.#owed !== "rest" && now.freshness !== this.#freshness) this.oweHeartbeat();
  }

  oweHeartbeat(): void {
    this.#owesHeartbeat = true;
    this.#onOwed();
  }

  /** Some time has passed: after a few such rounds without a frame a heartbeat is owed. */
  passRound(roundsPerHeartbeat: number): void {
    if (++this.#silentRoundsCount >= roundsPerHeartbeat - 1) this.oweHeartbeat();
  }

  /**
   * An app that comes from a node that knew more keeps what it has, until this node has caught up;
   * a node that never does, such as one on an old copy of its data, is taken at its word in the end.
   */
  #isAhead(now: Standing): boolean {
    const awaited = this.#awaited;
    if (awaited === undefined || now.position === undefined) return false;
    if (now.progress < awaited.progress && now.monoMs < awaited.untilMonoMs) return true;
    this.#awaited = undefined;
    return false;
  }

  /** The next frame, built only now; undefined when nothing is owed. */
  take(): WatchResponse | undefined {
    this.#silentRoundsCount = 0;
    const owed = this.#owed;
    this.#owed = "nothing";
    if (owed === "rest") return this.#takeRest();
    if (owed !== "nothing") return owed.message;
    return this.#owesHeartbeat ? this.#takeHeartbeat() : undefined;
  }

  #oweRest(): void {
    // The delta that is dropped will never be had.
    if (typeof this.#owed !== "string") this.#position = this.#owed.previous;
    this.#owed = "rest";
    this.#onOwed();
  }

  /** Without a table the app keeps the one it has: an empty one would take its flags away. */
  #takeRest(): WatchResponse {
    const rest = this.group.since(this.#position);
    if (rest === undefined) return this.#takeHeartbeat();
    this.#position = rest.position;
    this.#freshness = rest.freshness;
    this.#owesHeartbeat = false;
    return rest.message;
  }

  #takeHeartbeat(): WatchResponse {
    this.#owesHeartbeat = false;
    const now = this.group.now();
    const wasAhead = this.#awaited !== undefined;
    const isAhead = this.#isAhead(now);
    const { position } = now;
    if (wasAhead && !isAhead && position !== undefined && !bytesEqual(this.#position, position))
      return this.#takeRest();
    this.#freshness = isAhead ? "STALE" : now.freshness;
    const heartbeat = { position: this.#position, freshness: this.#freshness };
    return create(WatchResponseSchema, { frame: { case: "heartbeat", value: heartbeat } });
  }
}
