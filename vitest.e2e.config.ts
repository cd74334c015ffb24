import { defineConfig } from "vitest/config";

// Stories with real processes: one after another, because each brings its own chain, providers and models.
export default defineConfig({
  test: { include: ["test/e2e/**/*.e2e.ts"], fileParallelism: false, testTimeout: 120_000, hookTimeout: 120_000 },
});
