import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["lib/**/*.test.ts", "agents/**/*.test.ts", "scripts/**/*.test.ts", "openclaw-skill/**/*.test.ts", "frontend/**/*.test.ts"],
    // Real chains and servers on a busy machine: a limit against hanging, not a measurement.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
