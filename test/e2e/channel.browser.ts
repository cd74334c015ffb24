import { readChannel } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { devAccounts } from "@clawcompute/lib/testing";
import type { Address } from "viem";
import { findChannels } from "../../agents/gateway/channels/ownChannels.ts";
import { connectedChat, offerOf } from "./harness/chatPage.ts";
import { expect, test } from "./harness/cleanPage.ts";
import { runningNetwork } from "./harness/runningNetwork.ts";

const ACCOUNT = 18;
const person = devAccounts[ACCOUNT]?.address as Address;
const WORDS = "one two three four five six seven eight nine ten ".repeat(6);

// A browser reports every 402, and asking for the price is one.
test.use({ forgiven: [/^Failed to load resource: the server responded with a status of 402/] });

test("chat by channel: one transaction, then silent vouchers, at most a second at risk; the rest is back to the wei (P1, P4, P6)", async ({
  page,
}) => {
  const { chain } = runningNetwork();
  const before = await chain.client.getBalance({ address: person });
  const offer = await offerOf("echo");
  const chat = await connectedChat(page, ACCOUNT, offer.id);
  let vouchers = 0;
  page.on("request", (request) => {
    if (request.headers()["payment-authorization"] && request.postData() === null) vouchers += 1;
  });
  const openedAt = performance.now();
  await page.getByText("Channel", { exact: true }).click();
  await expect(page.getByText("you never risk more than that second")).toBeVisible();
  await chat.open(WORDS, "channel");
  await expect(page.getByTestId("at-risk")).toHaveText(/^(0\.[1-9]|[1-9]\d*\.\d) s$/);
  await expect(page.getByText("Receipt checked")).toBeVisible();
  expect(vouchers).toBeGreaterThan(1);

  // The key that signs is kept by the page.
  await page.reload();
  await chat.ask("And again?");
  await expect(page.getByText("Receipt checked")).toHaveCount(2);
  expect(chat.wallet.prompts).toEqual(["eth_requestAccounts", "eth_sendTransaction"]);

  await page.getByRole("button", { name: "End and take the rest back" }).click();
  await expect(chat.bill).toContainText("Ended for the time served");
  const [paid, refunded] = [await chat.amount("paid"), await chat.amount("refunded")];
  expect(paid + refunded).toBe(offer.pricePerSecond * 60n);
  expect(paid).toBeGreaterThan(0n);
  expect(paid).toBeLessThanOrEqual(costDown(offer.pricePerSecond, performance.now() - openedAt) + offer.pricePerSecond);
  const [channel] = await findChannels(chain, person, 0n);
  expect(await readChannel(chain, channel?.id ?? "0x")).toMatchObject({ status: "closed", settled: paid, token: offer.asset });
  expect(chat.wallet.transactions).toHaveLength(1);
  const receipt = await chain.client.getTransactionReceipt({ hash: chat.wallet.transactions[0] ?? "0x" });
  const gas = receipt.gasUsed * receipt.effectiveGasPrice;
  expect(before - (await chain.client.getBalance({ address: person }))).toBe(paid + gas);
});
