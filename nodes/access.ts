import type { Bucket, Exposure } from "../relay/effect.ts";
import type { CallId, Event, Moment } from "../relay/event.ts";
import type { Reads } from "../relay/reads/reads.ts";

type WithoutTime<E> = E extends unknown ? Omit<E, "at"> : never;

/** An event before the driver has written the time on it. */
export type Happening = WithoutTime<Event>;

/** What a node lets be read: pure functions of its state. */
export type NodeReads = { readonly [K in keyof Reads]: Reads[K] };

/** All that the parts of a process get to see of the node they serve. */
export interface NodeAccess {
  readonly reads: NodeReads;
  now(): Moment;
  /** Something has happened. Effects are carried out before this returns. */
  tell(happening: Happening): void;
  /**
   * Something is asked for; resolves with the answer's value, which is durable then.
   * @throws HeadwaterError when it was refused
   */
  ask<T>(happening: (call: CallId) => Happening): Promise<T>;
  /** Calls back after each exposure, until the signal. */
  onExpose(listener: (exposure: Exposure) => void, signal: AbortSignal): void;
  /** What only a new start can mend, if anything: the core fails at everything, or is not run. */
  readonly ailment: string | undefined;
  /** Records of a log bucket whose key starts with the prefix, newest first. */
  list(of: { bucket: Bucket; prefix: string; limit: number }): readonly Uint8Array[];
}
