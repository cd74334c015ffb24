import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { test as plain } from "@playwright/test";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { expect, test } from "./harness/cleanPage.ts";
import { openWith } from "./harness/connected.ts";
import { runningNetwork } from "./harness/runningNetwork.ts";

const artefacts = join(import.meta.dirname, "../../test-results/screenshots");

/** Every page about the market, and what shows that it has arrived. */
const pages = [
  ["market", "/", "Ready,"],
  ["cards", "/?as=cards", "Ready,"],
  ["provider", "/providers/1", "What you agree to"],
  ["provide", "/provide", "Connect a wallet to offer a model"],
  ["keep", "/keep", "Streams worth an update"],
  ["network", "/network", "Paid to providers, by day"],
  ["activity", "/activity", "offers"],
] as const;

for (const theme of ["light", "dark"] as const) {
  test(`every page is accessible and fits, in the ${theme} theme, wide and narrow`, async ({ page }) => {
    test.setTimeout(120_000);
    await page.emulateMedia({ colorScheme: theme });
    for (const [name, path, arrived] of pages) {
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.goto(path);
      for (const width of [1440, 360]) {
        await page.setViewportSize({ width, height: width > 1000 ? 900 : 740 });
        await expect(page.getByRole("main").getByText(arrived).first()).toBeVisible();
        const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(over, `${name} at ${width} px is wider than its window`).toBeLessThanOrEqual(0);
        // Colours do not depend on the width.
        if (theme === "light" || width > 1000) {
          const { violations } = await new AxeBuilder({ page }).analyze();
          const found = violations.map(({ id, nodes }) => `${name} at ${width} px: ${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
          expect(found).toEqual([]);
        }
        await page.screenshot({ path: join(artefacts, `${name}-${width}-${theme}.png`), animations: "disabled" });
      }
    }
  });
}

test("a wallet without coins is told so, and nothing is asked of it", async ({ page }) => {
  const poor = privateKeyToAccount(generatePrivateKey());
  await openWith(page, "/provide", poor);
  await expect(page.getByText("This wallet holds no ETH")).toBeVisible();
  await page.getByRole("textbox", { name: "Model" }).fill("mine");
  await page.getByLabel("Endpoint").fill("http://127.0.0.1:8701");
  await page.getByLabel("Price").fill("0.1");
  await page.getByRole("button", { name: "Review the offer" }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toBeVisible();
  await expect(page.getByRole("dialog").getByRole("button", { name: "Register" })).toBeDisabled();
});

test("a wallet on another network is told so", async ({ page }) => {
  await openWith(page, "/provide", privateKeyToAccount(generatePrivateKey()));
  await page.evaluate(() => (window as unknown as { __tellPage(event: string, value: unknown): void }).__tellPage("chainChanged", "0x38"));
  await expect(page.getByText("Your wallet is on another network")).toBeVisible();
  await expect(page.getByRole("main").getByRole("button", { name: "Switch network" })).toBeVisible();
});

plain("a chain that does not answer is said, and the pages come back with it", async ({ page }) => {
  const { rpcUrl } = runningNetwork();
  let isDown = true;
  await page.route(`${rpcUrl}/**`, (route) => (isDown ? route.abort() : route.continue()));
  await page.route("**/api/indexer/**", (route) => (isDown ? route.abort() : route.continue()));
  for (const path of ["/providers/1", "/network", "/"]) {
    await page.goto(path);
    await expect(page.getByRole("main").getByRole("alert").first()).toContainText("CHAIN_UNAVAILABLE");
  }
  isDown = false;
  await expect(page.getByRole("article", { name: /^claw-tiny-1, provider/ })).toBeVisible();
  await expect(page.getByRole("main").getByRole("alert")).toHaveCount(0);
});

test("the market is used by keyboard alone", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByText("Ready,").first()).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  await page.getByRole("searchbox").focus();
  await page.keyboard.type("claw-tiny-1");
  await expect(page.getByRole("article")).toHaveCount(1);
  for (const label of ["Model", "Service"]) {
    await page.keyboard.press("Tab");
    await expect(page.getByLabel(label, { exact: true })).toBeFocused();
  }
  await page.getByRole("button", { name: "As cards" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "claw-tiny-1", exact: true })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "claw-tiny-1" })).toBeVisible();
});
