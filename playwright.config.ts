import { defineConfig } from "@playwright/test";

// The browser is the machine's own (scripts/browser-tests.ts finds or installs it); nothing is downloaded.
const chromium = process.env.CHROMIUM_PATH;

export default defineConfig({
  testDir: "test/e2e",
  testMatch: process.env.SCREENSHOTS ? "**/*.picture.ts" : "**/*.browser.ts",
  globalSetup: "./test/e2e/harness/dashboardNetwork.ts",
  outputDir: "test-results/browser",
  workers: 1,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: "list",
  forbidOnly: Boolean(process.env.CI),
  use: {
    // Set by the network's start, before the tests read it.
    ...(process.env.DASHBOARD_URL ? { baseURL: process.env.DASHBOARD_URL } : {}),
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
