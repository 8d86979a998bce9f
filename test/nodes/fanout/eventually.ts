import { vi } from "vitest";

/** Waits until a condition holds, and fails with its last failure when it does not in 20 s. */
export function eventually<T>(condition: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(condition, { timeout: 20_000, interval: 10 });
}
