import { listActiveOffers } from "@clawcompute/lib/chain";
import { expect, test } from "./harness/cleanPage.ts";
import { runningNetwork } from "./harness/runningNetwork.ts";

test("the market lists the live providers, as the chain tells them", async ({ page }) => {
  const offers = await listActiveOffers(runningNetwork().chain);
  expect(offers.map(({ model }) => model).sort()).toEqual(["claw-tiny-1", "claw-tiny-2", "echo"]);
  await page.goto("/");
  const rows = page.getByRole("article");
  await expect(rows).toHaveCount(offers.length);
  for (const { id, model } of offers) {
    const row = page.getByRole("article", { name: `${model}, provider ${id}` });
    await expect(row).toContainText("ETH/s");
    await expect(row).toContainText(/Ready, \d+ ms/);
  }
  await page.getByRole("searchbox").fill("tiny-2");
  await expect(rows).toHaveCount(1);
});

test("the built-in wallet connects, survives a reload and leaves", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("button", { name: "Connect" }).click();
  await expect(page.getByText("Local network only")).toBeVisible();
  await page.getByRole("button", { name: "Development wallet" }).click();
  await expect(page.getByRole("button", { name: "Wallet 0x976E…0aa9" })).toBeVisible();
  await page.reload();
  await page.getByRole("button", { name: "Wallet 0x976E…0aa9" }).click();
  await page.getByRole("button", { name: "Disconnect" }).click();
  await expect(page.getByRole("button", { name: "Connect" })).toBeVisible();
});

test("the market fits a phone", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const path of ["/", "/chat", "/streams", "/providers/1"]) {
    await page.goto(path);
    await expect(page.getByRole("banner")).toBeVisible();
    await expect(page.getByText("ETH/s").or(page.getByText("Connect the wallet")).first()).toBeVisible();
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
      path,
    ).toBeLessThanOrEqual(0);
  }
});
