import { devAccounts } from "@clawcompute/lib/testing";
import { expect, type Locator, type Page } from "@playwright/test";
import type { LocalAccount } from "viem";
import { type BrowserWallet, installWallet } from "./browserWallet.ts";
import { runningNetwork } from "./runningNetwork.ts";

/** Opens a page with a development account's wallet, connected as a person would. */
export async function openConnected(page: Page, path: string, index: number): Promise<BrowserWallet & { account: LocalAccount }> {
  const account = devAccounts[index];
  if (!account) throw new Error(`there is no development account ${index}`);
  return { ...(await openWith(page, path, account)), account };
}

export async function openWith(page: Page, path: string, account: LocalAccount): Promise<BrowserWallet> {
  const { rpcUrl, chainId } = runningNetwork();
  const wallet = await installWallet(page, { account, rpcUrl, chainId });
  await page.goto(path);
  await page.getByRole("banner").getByRole("button", { name: "Connect" }).click();
  await page.getByRole("button", { name: "Test Wallet" }).click();
  await expect(page.getByRole("banner").getByRole("button", { name: /^(Wallet 0x|Switch network)/ })).toBeVisible();
  return wallet;
}

/** The exact raw units of the first amount inside, from its title. */
export async function rawIn(place: Locator): Promise<bigint> {
  const title = await place
    .getByTitle(/^\d+ (wei|raw)/)
    .first()
    .getAttribute("title");
  return BigInt(/^\d+/.exec(title ?? "")?.[0] ?? -1);
}

/** The figure with this name among those side by side. */
export const stat = (page: Page, name: string): Locator => page.locator("dl > div").filter({ has: page.locator("dt", { hasText: name }) });
