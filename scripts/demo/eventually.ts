import { setTimeout as sleep } from "node:timers/promises";

/**
 * Tries, once at least, until it does not throw and is not false; then what it came to, or why it
 * never did.
 */
export async function eventually<T>(
  what: string,
  attempt: () => T | Promise<T>,
  deadlineMs: number = 15_000,
): Promise<Exclude<T, false | undefined>> {
  const startedMs = Date.now();
  let last: unknown = "it stayed false";
  do {
    const askedMs = Date.now();
    try {
      const value = await attempt();
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
    } catch (thrown) {
      last = thrown;
    }
    // An attempt may be a whole process: at most half of the time goes into asking.
    await sleep(Math.max(25, Date.now() - askedMs));
  } while (Date.now() - startedMs < deadlineMs);
  const why = last instanceof Error ? last.message : String(last);
  throw new Error(`not within ${deadlineMs} ms: ${what}; ${why}`);
}
