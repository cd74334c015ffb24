import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { devAccounts } from "@clawcompute/lib/testing";
import type { Page } from "@playwright/test";
import type { LocalAccount } from "viem";
import { installWallet } from "./harness/browserWallet.ts";
import { offerOf } from "./harness/chatPage.ts";
import { expect, test } from "./harness/cleanPage.ts";
import { runningNetwork } from "./harness/runningNetwork.ts";

const artefacts = join(import.meta.dirname, "../../test-results/screenshots");

/** No violation of any axe rule, no word cut off at the side; the picture is kept as an artefact. */
async function look(page: Page, name: string) {
  await page.screenshot({ path: join(artefacts, `${name}.png`), animations: "disabled" });
  const { violations } = await new AxeBuilder({ page }).exclude("[data-rk]").analyze();
  expect(
    violations.map(({ id, nodes }) => `${name}: ${id} at ${nodes.map(({ target }) => target.join(" ")).join(", ")}`),
    name,
  ).toEqual([]);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow, `${name} is wider than its window`).toBeLessThanOrEqual(0);
}

for (const [theme, width, account] of [
  ["light", 1440, 8],
  ["dark", 390, 9],
] as const) {
  test.describe(`${theme}, ${width} px`, () => {
    test.use({ viewport: { width, height: width < 500 ? 844 : 900 }, colorScheme: theme, contextOptions: { reducedMotion: "reduce" } });

    test("every state of chat and streams is free of axe's complaints, by keyboard alone", async ({ page }) => {
      test.setTimeout(120_000);
      const { rpcUrl, chainId } = runningNetwork();
      await installWallet(page, { account: devAccounts[account] as LocalAccount, rpcUrl, chainId });
      const shot = (name: string) => look(page, `${name}-${width}-${theme}`);
      await page.goto(`/chat?provider=${(await offerOf("echo")).id}`);
      await expect(page.getByLabel("Terms")).toContainText("ETH/s");
      await shot("chat");

      await page.getByRole("button", { name: "Connect a wallet to ask" }).press("Enter");
      await page.getByRole("button", { name: "Test Wallet" }).press("Enter");
      const model = page.getByRole("button", { name: /^Model/ });
      await model.press("Enter");
      const dialog = page.getByRole("dialog", { name: "Choose a model" });
      await expect(dialog).toBeVisible();
      await shot("chat-models");
      // The focus cannot leave a dialog, and comes back to where it was.
      for (let tab = 0; tab < 8; tab += 1) await page.keyboard.press("Tab");
      expect(
        await page.evaluate(() => document.activeElement === document.body || document.activeElement?.closest("dialog") !== null),
      ).toBe(true);
      await page.keyboard.press("Escape");
      await expect(model).toBeFocused();

      await page
        .getByRole("textbox", { name: "Your question" })
        .fill("# A plan\n\n1. Ask\n2. **Pay**\n\n`code` and [a link](https://a.example)\n\n```ts\nlet a = 1;\n```");
      await page.keyboard.press("Enter");
      await expect(page.getByText("Receipt checked")).toBeVisible();
      await shot("chat-answered");
      await page.getByRole("button", { name: "Receipt checked" }).press("Enter");
      await expect(page.getByRole("dialog", { name: "Receipt" })).toBeVisible();
      await shot("chat-receipt");
      await page.keyboard.press("Escape");

      await page.goto("/streams");
      const stream = page.getByRole("article", { name: /^Stream/ }).first();
      await expect(stream.getByTestId("still-yours")).not.toBeEmpty();
      await shot("streams");
      for (const [button, name] of [
        ["Top up", "streams-top-up"],
        ["Redirect", "streams-redirect"],
        ["End", "streams-end"],
      ] as const) {
        await stream.getByRole("button", { name: button, exact: true }).press("Enter");
        await expect(page.getByRole("dialog")).toBeVisible();
        await shot(name);
        await page.keyboard.press("Escape");
      }
      await stream.getByRole("button", { name: "End", exact: true }).press("Enter");
      await page.getByRole("button", { name: "Settle", exact: true }).press("Enter");
      await expect(page.getByRole("heading", { name: "Ended" })).toBeVisible();
      await shot("streams-ended");
    });
  });
}
