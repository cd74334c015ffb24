import { listActiveOffers, readStream } from "@clawcompute/lib/chain";
import { devAccounts, tinyModels } from "@clawcompute/lib/testing";
import type { Page } from "@playwright/test";
import { installWallet } from "./harness/browserWallet.ts";
import { expect, test } from "./harness/cleanPage.ts";
import { runningNetwork } from "./harness/runningNetwork.ts";

const MODEL = "claw-tiny-1";

async function open(page: Page, account: number, refuse?: (ask: { method: string }) => boolean) {
  const { rpcUrl, chainId, chain } = runningNetwork();
  const payer = devAccounts[account];
  if (!payer) throw new Error(`there is no development account ${account}`);
  const wallet = await installWallet(page, { account: payer, rpcUrl, chainId, ...(refuse ? { refuse } : {}) });
  const offer = (await listActiveOffers(chain, { model: MODEL }))[0];
  if (!offer) throw new Error(`nobody offers ${MODEL}`);
  await page.goto(`/chat?provider=${offer.id}`);
  await page.getByRole("button", { name: "Connect a wallet to ask" }).click();
  await page.getByRole("button", { name: "Test Wallet" }).click();
  await page.getByRole("textbox", { name: "Your question" }).fill("What is your name?");
  return { wallet, chain, offer };
}

test("connect, open a stream, chat, end: the served time is paid and the rest is back", async ({ page }) => {
  const { wallet, chain, offer } = await open(page, 10);
  await page.getByRole("button", { name: "Open stream and ask" }).click();
  await expect(page.getByRole("article", { name: "Answer" })).toContainText(tinyModels[MODEL].say);
  await expect(page.getByText("Receipt checked")).toBeVisible();
  const named = await page.getByText(/^Stream \d+$/).textContent();
  const id = BigInt(named?.replace(/\D/g, "") ?? 0);
  expect((await readStream(chain, id)).status).toBe("active");

  // The stream goes on: a second question needs no wallet.
  await page.getByRole("textbox", { name: "Your question" }).fill("And again?");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  await expect(page.getByText("Receipt checked")).toHaveCount(2);

  await page.getByRole("button", { name: "End and take the rest back" }).click();
  await expect(page.getByTestId("bill")).toContainText("Ended for the time served");
  const raw = async (name: string) =>
    BigInt((await page.getByTestId(name).getByTitle(/wei/).getAttribute("title"))?.replace(/\D/g, "") ?? -1);
  const [paid, refunded] = [await raw("paid"), await raw("refunded")];
  expect(paid + refunded).toBe(offer.pricePerSecond * 60n);
  expect(paid).toBeGreaterThan(0n);
  expect(paid).toBeLessThan(offer.pricePerSecond * 10n);
  expect((await readStream(chain, id)).status).toBe("closed");
  expect(wallet.prompts).toEqual(["eth_requestAccounts", "eth_sendTransaction", "eth_signTypedData_v4", "eth_sendTransaction"]);
});

test("a refusal in the wallet is explained, and nothing is paid", async ({ page }) => {
  await open(page, 11, ({ method }) => method === "eth_sendTransaction");
  await page.getByRole("button", { name: "Open stream and ask" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "You refused it in the wallet" })).toBeVisible();
});

test("a forgotten stream is found after a reload and can be ended", async ({ page }) => {
  await open(page, 12);
  await page.getByRole("button", { name: "Open stream and ask" }).click();
  await expect(page.getByText("Receipt checked")).toBeVisible();
  await page.reload();
  await expect(page.getByRole("article", { name: "Answer" })).toContainText(tinyModels[MODEL].say);
  await page.evaluate(() => localStorage.clear());
  await page.goto("/streams");
  await page.getByRole("button", { name: "End now" }).click();
  await expect(page.getByRole("heading", { name: "Ended" })).toBeVisible();
  await expect(page.getByRole("article")).toHaveCount(0);
});
