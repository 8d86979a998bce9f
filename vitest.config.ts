import { availableParallelism } from "node:os";
import process from "node:process";
import { defineConfig } from "vitest/config";

/**
 * Tests of real processes share two cores with each other: under CI one that fails is tried once
 * more, and the report says so.
 */
const retry = process.env["CI"] === undefined ? 0 : 1;

/** Much of what tests do is to wait for processes: of two cores both are used. */
const maxWorkers = Math.max(2, availableParallelism() - 1);

// Deadlines are for what hangs; a busy machine of two cores must not fail a test that works.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 180_000,
    hookTimeout: 240_000,
    retry,
    maxWorkers,
  },
});
