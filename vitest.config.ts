import { defineConfig } from "vitest/config";

// Deadlines are for what hangs; a busy machine of two cores must not fail a test that works.
export default defineConfig({
  test: { include: ["test/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 120_000 },
});
