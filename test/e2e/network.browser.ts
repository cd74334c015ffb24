import { paymentChannelAbi, streamPayAbi } from "@clawcompute/lib/abi";
import { createdStreamId, streamPayWrites } from "@clawcompute/lib/chain";
import { devAccounts } from "@clawcompute/lib/testing";
import { type Page, test as plain } from "@playwright/test";
import { type LocalAccount, zeroAddress } from "viem";
import { chainActor } from "./harness/chainActor.ts";
import { expect, test } from "./harness/cleanPage.ts";
import { rawIn, stat } from "./harness/connected.ts";
import { runningNetwork } from "./harness/runningNetwork.ts";

const payer = devAccounts[15] as LocalAccount;
const payee = devAccounts[18] as LocalAccount;

/** The same figures added up here, from the contracts' events. */
async function chainFigures() {
  const { chain } = runningNetwork();
  const whole = { fromBlock: 0n, strict: true } as const;
  const { streamPay, paymentChannel } = chain.network.contracts;
  const streams = await chain.client.getContractEvents({ address: streamPay, abi: streamPayAbi, ...whole });
  const channels = await chain.client.getContractEvents({ address: paymentChannel, abi: paymentChannelAbi, ...whole });
  const native = new Map<bigint | string, true>();
  let [opened, paid] = [0, 0n];
  for (const log of streams) {
    if (log.eventName === "StreamCreated") {
      opened += 1;
      if (log.args.asset === zeroAddress) native.set(log.args.id, true);
    } else if ("id" in log.args && native.has(log.args.id)) {
      if (log.eventName === "StreamWithdrawn") paid += log.args.amount;
      if (log.eventName === "StreamUpdated") paid += log.args.accrued - log.args.reward;
      if (log.eventName === "StreamCancelled" || log.eventName === "StreamSettled" || log.eventName === "StreamRedirected")
        paid += log.args.paid;
    }
  }
  for (const log of channels) {
    if (log.eventName === "ChannelOpened" && log.args.token === zeroAddress) native.set(log.args.channelId, true);
    else if ((log.eventName === "ChannelSettled" || log.eventName === "ChannelClosed") && native.has(log.args.channelId))
      paid += log.args.paid;
  }
  return { opened, paid };
}

/** Opens three streams and ends two of them: something to count, whatever ran before. */
async function makeHistory() {
  const { chain } = runningNetwork();
  const stream = { recipient: payee.address, durationSeconds: 3600, serviceType: 0, providerId: 0, value: 3600n * 10n ** 12n };
  const opened = await chainActor(chain, payer).send(...[0, 1, 2].map(() => streamPayWrites.createStream(stream)));
  const ids = opened.map((receipt) => createdStreamId(receipt));
  await chainActor(chain, payer).send(...ids.slice(0, 2).map((id) => streamPayWrites.cancelStream(id)));
  return { end: () => chainActor(chain, payer).send(...ids.slice(2).map((id) => streamPayWrites.cancelStream(id))) };
}

async function expectFigures(page: Page) {
  // The page follows the chain, so both are read until they agree.
  await expect(async () => {
    const { opened, paid } = await chainFigures();
    expect(await stat(page, "Streams opened").textContent()).toContain(`Streams opened${opened}`);
    expect(await rawIn(stat(page, "Paid to providers"))).toBe(paid);
  }).toPass();
}

test("the network's figures are the chain's, and so are the charts' tables", async ({ page }) => {
  const { end } = await makeHistory();
  await page.goto("/network");
  await expectFigures(page);
  await expect(page.getByText("From the indexer")).toBeVisible();
  const chart = page.getByRole("figure", { name: "Paid to providers, by day" });
  await expect(chart.getByRole("img", { name: /^Bars for the last 14 days\./ })).toBeVisible();
  await chart.getByRole("button", { name: "Table" }).click();
  await expect(chart.getByRole("row")).toHaveCount(15);
  await expect(chart.getByRole("row").nth(1)).toContainText("ETH");
  await end();
});

plain("without its indexer the page reads the same figures from the chain, and says so", async ({ page }) => {
  await page.route("**/api/indexer/**", (route) => route.abort());
  await page.goto("/network");
  await expectFigures(page);
  await expect(page.getByText("The indexer does not answer: this is read straight from the chain")).toBeVisible();
  await page.goto("/activity");
  await expect(page.getByRole("article").first()).toBeVisible();
  await page.goto("/");
  await expect(page.getByRole("article", { name: /^claw-tiny-1, provider/ })).toBeVisible();
});

test("activity tells what happened, newest first, by kind and further back", async ({ page }) => {
  const { end } = await makeHistory();
  const { chain } = runningNetwork();
  const newest = await chain.client.readContract({
    address: chain.network.contracts.streamPay,
    abi: streamPayAbi,
    functionName: "getProtocolStats",
  });
  await page.goto("/activity");
  const ended = page.getByRole("article").filter({ hasText: `ended stream ${newest - 1n}:` });
  await expect(ended).toContainText(/paid, 0\.00\d+ ETH back/);
  await expect(page.getByRole("article").filter({ hasText: `opened stream ${newest} ` })).toBeVisible();
  await page.getByRole("button", { name: "Offers" }).click();
  await expect(ended).toHaveCount(0);
  await end();
});
