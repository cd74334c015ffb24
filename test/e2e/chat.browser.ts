import { readFileSync } from "node:fs";
import { readStream, streamEventsOf } from "@clawcompute/lib/chain";
import { decodeSignedReceipt, hashReceipt, verifyReceiptSignature } from "@clawcompute/lib/protocol";
import { devAccounts, tinyModels } from "@clawcompute/lib/testing";
import type { Address, Hex } from "viem";
import { connectedChat, offerOf } from "./harness/chatPage.ts";
import { expect, test } from "./harness/cleanPage.ts";
import { runningNetwork } from "./harness/runningNetwork.ts";
import { type SlowProvider, startSlowProvider } from "./harness/slowProvider.ts";

const MODEL = "claw-tiny-1";
/** "0" makes the slow model talk until it is stopped. */
const FOREVER = "0";
const addressOf = (index: number) => devAccounts[index]?.address as Address;

test.describe("with a model that really answers", () => {
  test("connect, open, chat, end: receipts are shown, kept and exported; one prompt opens, one signature, one ends", async ({ page }) => {
    const { chain } = runningNetwork();
    const offer = await offerOf(MODEL);
    const chat = await connectedChat(page, 10, offer.id);
    await expect(page.getByText("Most you can lose")).toBeVisible();
    await expect(page.getByText("Gas to open, about").locator("..")).toContainText("ETH");
    await chat.open("What is your name?");
    await expect(chat.answers).toContainText(tinyModels[MODEL].say);
    await expect(page.getByText("Receipt checked")).toBeVisible();
    await chat.ask("And again?");
    await expect(page.getByText("Receipt checked")).toHaveCount(2);

    await page.getByText("Receipt checked").last().click();
    const receipt = page.getByRole("dialog", { name: "Receipt" });
    await expect(receipt).toContainText("Verified here");
    const shownHash = await receipt
      .getByText(/^0x[0-9a-f]{64}$/)
      .first()
      .textContent();
    await page.keyboard.press("Escape");
    await expect(receipt).toHaveCount(0);

    await page.getByRole("button", { name: "Export" }).click();
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "JSON" }).click();
    const file = readFileSync(await (await saved).path(), "utf8");
    const { receipts } = JSON.parse(file) as { receipts: unknown[] };
    const domain = { chainId: chain.network.chainId, verifyingContract: chain.network.contracts.streamPay };
    for (const one of receipts) {
      const { receipt, signature, signer } = decodeSignedReceipt(one);
      await verifyReceiptSignature(domain, receipt, signature, signer);
    }
    expect(receipts.map((one) => hashReceipt(domain, decodeSignedReceipt(one).receipt)).at(-1)).toBe(shownHash);

    const id = await chat.streamId();
    await page.getByRole("button", { name: "End and take the rest back" }).click();
    await expect(chat.bill).toContainText("Ended for the time served");
    expect((await chat.amount("paid")) + (await chat.amount("refunded"))).toBe(offer.pricePerSecond * 60n);
    expect((await readStream(chain, id)).status).toBe("closed");
    expect(chat.wallet.prompts).toEqual(["eth_requestAccounts", "eth_sendTransaction", "eth_signTypedData_v4", "eth_sendTransaction"]);

    // A second conversation, and back to the first; both outlive a reload.
    await page.getByRole("button", { name: "New conversation" }).click();
    await expect(chat.answers).toHaveCount(0);
    await page.reload();
    await page
      .getByRole("navigation", { name: "Conversations" })
      .getByRole("button", { name: /What is your name/ })
      .click();
    await expect(chat.answers).toHaveCount(2);
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await expect(chat.answers).toHaveCount(0);
  });

  test("what a model writes is shown as markdown, but loads nothing and runs nothing", async ({ page }) => {
    const chat = await connectedChat(page, 11, (await offerOf("echo")).id);
    await chat.open(
      'A [bank](https://evil.example/x) ![pixel](https://evil.example/p.png) <img src=x onerror="document.title=1"> [run](javascript:alert(1))\n\n```js\nlet a = 1;\n```',
    );
    await expect(page.getByText("Receipt checked")).toBeVisible();
    await expect(chat.answers.getByRole("link")).toHaveText(/bank \(evil\.example\)/);
    await expect(chat.answers.getByRole("link")).toHaveAttribute("rel", /noreferrer.*nofollow/);
    await expect(chat.answers).toContainText("Image not loaded: pixel (evil.example)");
    await expect(chat.answers.locator("img")).toHaveCount(0);
    await expect(chat.answers.locator("pre code")).toHaveText("let a = 1;");
    await expect(page).toHaveTitle(/^Chat/);
  });

  test("a refusal in the wallet is explained, and nothing is paid", async ({ page }) => {
    const { chain } = runningNetwork();
    const before = await chain.client.getBalance({ address: addressOf(12) });
    const refuse = ({ method }: { method: string }) => method === "eth_sendTransaction";
    const chat = await connectedChat(page, 12, (await offerOf(MODEL)).id, { refuse });
    await chat.open("What is your name?");
    await expect(page.getByRole("alert").filter({ hasText: "You refused it in the wallet; nothing was paid." })).toBeVisible();
    expect(await chain.client.getBalance({ address: addressOf(12) })).toBe(before);
  });
});

test.describe("with a model that can be stopped", () => {
  test.describe.configure({ mode: "serial" });
  test.use({ forgiven: [/^Failed to load resource/] });
  let provider: SlowProvider;
  test.beforeAll(async () => {
    provider = await startSlowProvider(15, "slow-one");
  });
  test.afterAll(() => provider?.stop());

  test("stop in mid-answer: model and money stop, and the refund is right to the wei (P1, P6)", async ({ page }) => {
    const { chain } = runningNetwork();
    const before = await chain.client.getBalance({ address: addressOf(13) });
    const chat = await connectedChat(page, 13, provider.id);
    await chat.open(FOREVER);
    await expect(chat.answers).toContainText("10 11 12");
    const cost = page.getByTestId("cost");
    const early = Number(await cost.textContent());
    await expect.poll(async () => Number(await cost.textContent())).toBeGreaterThan(early);
    expect(provider.running()).toBe(1);
    const id = await chat.streamId();
    await page.getByRole("button", { name: "Stop and end the stream" }).click();
    await expect(chat.bill).toContainText("Ended for the time served");
    await expect(page.getByText("Cut short: You stopped it.")).toBeVisible();
    await expect.poll(provider.running).toBe(0);

    const hashes = chat.wallet.transactions;
    const receipts = await Promise.all(hashes.map((hash: Hex) => chain.client.getTransactionReceipt({ hash })));
    const gas = receipts.reduce((sum, { gasUsed, effectiveGasPrice }) => sum + gasUsed * effectiveGasPrice, 0n);
    const settled = streamEventsOf(receipts[1] as (typeof receipts)[0], chain).find(({ eventName }) => eventName === "StreamSettled");
    const [paid, refunded] = [await chat.amount("paid"), await chat.amount("refunded")];
    expect(settled?.args).toMatchObject({ id, refunded });
    expect(paid + refunded).toBe(provider.pricePerSecond * 60n);
    expect(before - (await chain.client.getBalance({ address: addressOf(13) }))).toBe(paid + gas);
  });

  test("reload in mid-answer: its receipt is fetched, the stream goes on without the wallet", async ({ page }) => {
    const chat = await connectedChat(page, 14, provider.id);
    await chat.open(FOREVER);
    await expect(chat.answers).toContainText("3 4 5");
    await page.reload();
    await expect(page.getByText("Cut short: The page was left while it came.")).toBeVisible();
    await expect(page.getByText("Receipt checked")).toHaveCount(1);
    await chat.ask("4");
    await expect(chat.answers.last()).toContainText("1 2 3 4");
    await expect(page.getByText("Receipt checked")).toHaveCount(2);
    expect(chat.wallet.prompts).toEqual(["eth_requestAccounts", "eth_sendTransaction", "eth_signTypedData_v4"]);

    // Everything forgotten but the chain: found again, gone on with, ended.
    await page.evaluate(() => {
      for (const key of Object.keys(localStorage).filter((name) => name.startsWith("clawcompute."))) localStorage.removeItem(key);
    });
    await page.goto("/");
    const found = page.getByRole("region", { name: "Open streams" });
    await expect(found).toContainText("You have 1 open stream");
    await found.getByRole("button", { name: "Go on with it" }).click();
    await chat.ask("2");
    await expect(page.getByText("Receipt checked")).toHaveCount(1);
    await expect(found).toHaveCount(0);
    await page.getByRole("button", { name: "End and take the rest back" }).click();
    await expect(chat.bill).toContainText("Ended for the time served");
  });

  test("run dry: the answer ends visibly when the deposit does (P7)", async ({ page }) => {
    const { chain } = runningNetwork();
    const chat = await connectedChat(page, 16, provider.id);
    await chat.open(FOREVER);
    await expect(chat.answers).toContainText("1 2 3");
    await chain.client.request({ method: "evm_increaseTime", params: [58] } as never);
    await expect(page.getByText("Cut short: The deposit ran out before the end.")).toBeVisible();
    await expect.poll(provider.running).toBe(0);
  });

  test("the provider dies in mid-answer: the cut is seen, and the clock bounds what is paid (P3, P7)", async ({ page }) => {
    const chat = await connectedChat(page, 17, provider.id);
    await chat.open(FOREVER);
    await expect(chat.answers).toContainText("1 2 3");
    await provider.die();
    await expect(page.getByText(/^Cut short: The answer broke off/)).toBeVisible();
    await expect(page.getByText("No receipt")).toBeVisible();
    await page.getByRole("button", { name: "End and take the rest back" }).click();
    await expect(chat.bill).toContainText("Cancelled by the clock");
    expect((await chat.amount("paid")) + (await chat.amount("refunded"))).toBe(provider.pricePerSecond * 60n);
  });
});
