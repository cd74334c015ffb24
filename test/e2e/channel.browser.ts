import { readChannel } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { devAccounts } from "@clawcompute/lib/testing";
import { type Address, zeroAddress } from "viem";
import { findChannels } from "../../agents/gateway/channels/ownChannels.ts";
import { connectedChat } from "./harness/chatPage.ts";
import { expect, test } from "./harness/cleanPage.ts";
import { runningNetwork } from "./harness/runningNetwork.ts";
import { type SlowProvider, startSlowProvider } from "./harness/slowProvider.ts";

const ACCOUNT = 11;
const person = devAccounts[ACCOUNT]?.address as Address;
/** One each 50 ms: longer than a voucher covers. */
const WORDS = "40";
let provider: SlowProvider;

test.beforeAll(async () => {
  provider = await startSlowProvider(7, "slow-by-channel");
});
test.afterAll(() => provider?.stop());

// A browser reports every 402, and asking for the price is one.
test.use({ forgiven: [/^Failed to load resource: the server responded with a status of 402/] });

test("chat by channel: one transaction, then silent vouchers, at most a second at risk; the rest is back to the wei (P1, P4, P6)", async ({
  page,
}) => {
  const { chain } = runningNetwork();
  const before = await chain.client.getBalance({ address: person });
  const { pricePerSecond } = provider;
  const chat = await connectedChat(page, ACCOUNT, provider.id);
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
  expect(vouchers).toBeGreaterThan(2);

  // The key that signs is kept by the page.
  await page.reload();
  await chat.ask("2");
  await expect(page.getByText("Receipt checked")).toHaveCount(2);
  expect(chat.wallet.prompts).toEqual(["eth_requestAccounts", "eth_sendTransaction"]);

  await page.getByRole("button", { name: "End and take the rest back" }).click();
  await expect(chat.bill).toContainText("Ended for the time served");
  const [paid, refunded] = [await chat.amount("paid"), await chat.amount("refunded")];
  expect(paid + refunded).toBe(pricePerSecond * 60n);
  expect(paid).toBeGreaterThan(0n);
  expect(paid).toBeLessThanOrEqual(costDown(pricePerSecond, performance.now() - openedAt) + pricePerSecond);
  const [channel] = await findChannels(chain, person, 0n);
  expect(await readChannel(chain, channel?.id ?? "0x")).toMatchObject({ status: "closed", settled: paid, token: zeroAddress });
  expect(chat.wallet.transactions).toHaveLength(1);
  const receipt = await chain.client.getTransactionReceipt({ hash: chat.wallet.transactions[0] ?? "0x" });
  const gas = receipt.gasUsed * receipt.effectiveGasPrice;
  expect(before - (await chain.client.getBalance({ address: person }))).toBe(paid + gas);
});
