import { defineConfig } from "@playwright/test";

// The browser is the system's own; nothing is downloaded. scripts/browser-tests.ts sees to it and starts the network.
const chromium = process.env.CHROMIUM_PATH;

export default defineConfig({
  testDir: "test/e2e",
  testMatch: "**/*.browser.ts",
  outputDir: "test-results/browser",
  workers: 1,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: "list",
  forbidOnly: Boolean(process.env.CI),
  use: {
    baseURL: process.env.DASHBOARD_URL ?? "http://127.0.0.1:3000",
    viewport: { width: 1440, height: 900 },
    trace: "retain-on-failure",
    launchOptions: {
      ...(chromium ? { executablePath: chromium } : {}),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
