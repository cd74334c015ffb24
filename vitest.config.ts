import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // As the dashboard's own tsconfig has it.
  resolve: { alias: { "@": join(import.meta.dirname, "frontend") } },
  test: {
    include: ["lib/**/*.test.ts", "agents/**/*.test.ts", "scripts/**/*.test.ts", "openclaw-skill/**/*.test.ts", "frontend/**/*.test.ts"],
    // Most tests wait for blocks; one worker would leave a small machine idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Real chains and servers on a busy machine: a limit against hanging, not a measurement.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
