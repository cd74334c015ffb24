import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["lib/**/*.test.ts", "agents/**/*.test.ts", "scripts/**/*.test.ts", "openclaw-skill/**/*.test.ts"],
    passWithNoTests: false,
  },
});
