import { listActiveOffers } from "@clawcompute/lib/chain";
import { devAccounts } from "@clawcompute/lib/testing";
import type { Locator, Page } from "@playwright/test";
import { type BrowserWallet, type BrowserWalletOptions, installWallet } from "./browserWallet.ts";
import { runningNetwork } from "./runningNetwork.ts";

/** The chat as a person uses it. */
export interface ChatPage {
  readonly wallet: BrowserWallet;
  readonly answers: Locator;
  readonly bill: Locator;
  fill(text: string): Promise<void>;
  open(text: string, kind?: "stream" | "channel"): Promise<void>;
  ask(text: string): Promise<void>;
  /** Raw units, from an amount's title. */
  amount(testId: string): Promise<bigint>;
  streamId(): Promise<bigint>;
}

type Options = Omit<BrowserWalletOptions, "account" | "rpcUrl" | "chainId"> & { readonly account?: BrowserWalletOptions["account"] };

/** Connects account `index` and waits for its first look at the offer. */
export async function connectedChat(page: Page, index: number, providerId: number, options: Options = {}): Promise<ChatPage> {
  const { rpcUrl, chainId } = runningNetwork();
  const account = options.account ?? devAccounts[index];
  if (!account) throw new Error(`there is no development account ${index}`);
  const wallet = await installWallet(page, { ...options, account, rpcUrl, chainId });
  await page.goto(`/chat?provider=${providerId}`);
  await page.getByRole("button", { name: "Connect a wallet to ask" }).click();
  await page.getByRole("button", { name: "Test Wallet" }).click();
  const fill = (text: string) => page.getByRole("textbox", { name: "Your question" }).fill(text);
  return {
    wallet,
    answers: page.getByRole("article", { name: "Answer" }),
    bill: page.getByTestId("bill"),
    fill,
    open: async (text, kind = "stream") => {
      await fill(text);
      await page.getByRole("button", { name: `Open ${kind} and ask` }).click();
    },
    ask: async (text) => {
      await fill(text);
      await page.getByRole("button", { name: "Ask", exact: true }).click();
    },
    amount: async (testId) => {
      const title = await page
        .getByTestId(testId)
        .getByTitle(/wei|raw/)
        .getAttribute("title");
      return BigInt(title?.replace(/\D/g, "") || -1);
    },
    streamId: async () => {
      const named = await page
        .getByLabel("Meter")
        .getByText(/^Stream \d+$/)
        .textContent();
      return BigInt(named?.replace(/\D/g, "") || 0);
    },
  };
}

export async function offerOf(model: string) {
  const offer = (await listActiveOffers(runningNetwork().chain, { model }))[0];
  if (!offer) throw new Error(`nobody offers ${model}`);
  return offer;
}
