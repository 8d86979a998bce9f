import { vi } from "vitest";

/** Far above what it takes, on a machine that is busy with other things as well. */
const deadlineMs = 20_000;

/** Waits until the assertion holds; fails with its reason. */
export async function eventually(assertion: () => void): Promise<void> {
  await vi.waitFor(assertion, { timeout: deadlineMs, interval: 10 });
}
