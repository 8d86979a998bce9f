import { create } from "@bufbuild/protobuf";
import { type WatchResponse, WatchResponseSchema } from "../../gen/headwater/v1/apps_pb.ts";
import { bytesEqual } from "../../relay/trust/key.ts";
import type { SharedDelta, WatchGroup } from "./watch-group.ts";

/**
 * What one app is owed. Never more than one frame: what comes while a frame still waits to be taken
 * is made good with the newest complete table.
 */
export class Watcher {
  readonly version: string;
  group: WatchGroup;
  #owed: "nothing" | "table" | SharedDelta = "nothing";
  #owesHeartbeat = false;
  #silentRoundsCount = 0;
  /** Of the table that the app has once it has taken what it is owed; empty when it has none. */
  #position: Uint8Array;
  /** As the app was last told, or will be with the delta that it is owed. */
  #freshness = "";
  readonly #onOwed: () => void;

  constructor(of: {
    version: string;
    position: Uint8Array;
    group: WatchGroup;
    onOwed: () => void;
  }) {
    this.version = of.version;
    this.#position = of.position;
    this.group = of.group;
    this.#onOwed = of.onOwed;
  }

  /** Offers a delta to an app that has taken everything and is where the delta starts. */
  oweDelta(delta: SharedDelta): void {
    if (this.#owed !== "nothing" || !bytesEqual(this.#position, delta.previous)) return;
    this.#owed = delta;
    this.#position = delta.position;
    this.#freshness = delta.freshness;
    this.#onOwed();
  }

  /** Sees to it that what the app is owed brings it to the table and freshness of now. */
  catchUp(now: { position: Uint8Array | undefined; freshness: string }): void {
    if (now.position !== undefined && !bytesEqual(this.#position, now.position)) this.#oweTable();
    if (this.#owed !== "table" && now.freshness !== this.#freshness) this.oweHeartbeat();
  }

  oweHeartbeat(): void {
    this.#owesHeartbeat = true;
    this.#onOwed();
  }

  /** Some time has passed: after a few such rounds without a frame a heartbeat is owed. */
  passRound(roundsPerHeartbeat: number): void {
    if (++this.#silentRoundsCount >= roundsPerHeartbeat - 1) this.oweHeartbeat();
  }

  /** The next frame, built only now; undefined when nothing is owed. */
  take(): WatchResponse | undefined {
    this.#silentRoundsCount = 0;
    const owed = this.#owed;
    this.#owed = "nothing";
    if (owed === "table") return this.#takeTable();
    if (owed !== "nothing") return owed.message;
    return this.#owesHeartbeat ? this.#takeHeartbeat() : undefined;
  }

  #oweTable(): void {
    // The delta that is dropped will never be had.
    if (typeof this.#owed !== "string") this.#position = this.#owed.previous;
    this.#owed = "table";
    this.#onOwed();
  }

  /** Without a table the app keeps the one it has: an empty one would take its flags away. */
  #takeTable(): WatchResponse {
    const table = this.group.table();
    if (table === undefined) return this.#takeHeartbeat();
    this.#position = table.position;
    this.#freshness = table.freshness;
    this.#owesHeartbeat = false;
    return table.message;
  }

  #takeHeartbeat(): WatchResponse {
    this.#owesHeartbeat = false;
    this.#freshness = this.group.freshness();
    const heartbeat = { position: this.#position, freshness: this.#freshness };
    return create(WatchResponseSchema, { frame: { case: "heartbeat", value: heartbeat } });
  }
}
