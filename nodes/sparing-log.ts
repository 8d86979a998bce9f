import { strangerLinesBurstMax, strangerLinesPerSecondMax } from "../relay/limits.ts";
import { RateLimit } from "../relay/rate-limit.ts";
import type { Log } from "./log.ts";

/** What strangers bring about as often as they call. */
const strangerEvents: ReadonlySet<string> = new Set(["child-refused", "frame-refused"]);

/**
 * A log that strangers do not fill: of what they bring about so many lines are written, and from
 * then on one now and then, which says how many were left out before it.
 * @param monoMs monotonic milliseconds
 */
export function sparingLog(log: Log, monoMs: () => number): Log {
  const rate = new RateLimit({
    burst: strangerLinesBurstMax,
    perSecond: strangerLinesPerSecondMax,
  });
  const leftOut = new Map<string, number>();
  return {
    write(entry) {
      const { event, fields } = entry;
      if (!strangerEvents.has(event)) return log.write(entry);
      const before = leftOut.get(event) ?? 0;
      const isWritten = rate.take(event, monoMs());
      leftOut.set(event, isWritten ? 0 : before + 1);
      if (isWritten)
        log.write(before === 0 ? entry : { ...entry, fields: { ...fields, leftOut: before } });
    },
  };
}
