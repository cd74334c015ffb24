import { createdStreamId, readOffer, readStream, registryWrites, streamPayWrites } from "@clawcompute/lib/chain";
import { devAccounts, readArtifact } from "@clawcompute/lib/testing";
import type { Page } from "@playwright/test";
import { type Address, createWalletClient, erc20Abi, getAddress, type Hex, http, type LocalAccount, parseAbi } from "viem";
import { installWallet } from "./harness/browserWallet.ts";
import { connectedChat, offerOf } from "./harness/chatPage.ts";
import { expect, test } from "./harness/cleanPage.ts";
import { runningNetwork } from "./harness/runningNetwork.ts";

const accountOf = (index: number) => devAccounts[index] as LocalAccount;

/** Transactions of an account outside of the page. */
function sendingAs(index: number) {
  const { rpcUrl, chain } = runningNetwork();
  const client = createWalletClient({ account: accountOf(index), transport: http(rpcUrl) });
  const mined = (hash: Hex) => chain.client.waitForTransactionReceipt({ hash });
  return {
    call: async (call: { contract: string; abi: unknown; functionName: string; args: readonly unknown[]; value?: bigint }) => {
      const { contract, ...rest } = call;
      const address = contract.startsWith("0x") ? contract : chain.network.contracts[contract as "streamPay"];
      return mined(await client.writeContract({ ...rest, address, chain: null } as never));
    },
    deploy: async (name: string, args: readonly unknown[]) => {
      const { abi, bytecode } = readArtifact(name, name === "ContractWallet" ? "mocks/Actors.sol" : `mocks/${name}.sol`);
      const receipt = await mined(await client.deployContract({ abi, bytecode, args, chain: null } as never));
      return getAddress(receipt.contractAddress ?? "");
    },
  };
}

async function openStream(index: number, providerId: number, seconds: number) {
  const { chain } = runningNetwork();
  const { owner: recipient, serviceType, pricePerSecond } = await readOffer(chain, providerId);
  const value = pricePerSecond * BigInt(seconds);
  const call = streamPayWrites.createStream({ recipient, durationSeconds: seconds, serviceType, providerId, value });
  return createdStreamId(await sendingAs(index).call(call), chain);
}

async function myStreams(page: Page, index: number) {
  const { rpcUrl, chainId } = runningNetwork();
  const wallet = await installWallet(page, { account: accountOf(index), rpcUrl, chainId });
  await page.goto("/streams");
  await page.getByRole("button", { name: "Connect a wallet", exact: true }).click();
  await page.getByRole("button", { name: "Test Wallet" }).click();
  return wallet;
}

test("a stream's balance moves by the chain's clock; topped up, redirected and ended from one page", async ({ page }) => {
  const { chain } = runningNetwork();
  const [first, second] = [await offerOf("claw-tiny-1"), await offerOf("claw-tiny-2")];
  const id = await openStream(18, first.id, 600);
  await myStreams(page, 18);
  const stream = page.getByRole("article", { name: `Stream ${id}` });
  const left = stream.getByTestId("still-yours");
  const before = Number(await left.textContent());
  await expect.poll(async () => Number(await left.textContent())).toBeLessThan(before);

  await stream.getByRole("button", { name: "Top up" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("5 min", { exact: true }).click();
  const { end } = await readStream(chain, id);
  await dialog.getByRole("button", { name: "Top up" }).click();
  await expect(dialog).toHaveCount(0);
  expect((await readStream(chain, id)).end).toBe(end + 300);

  await stream.getByRole("button", { name: "Redirect" }).click();
  await dialog.getByText("claw-tiny-2").click();
  await dialog.getByRole("button", { name: `Redirect to provider ${second.id}` }).click();
  const said = await page.getByText(/Stream \d+ took over/).textContent();
  const newId = BigInt(said?.replace(/\D/g, "") ?? 0);
  const moved = page.getByRole("article", { name: `Stream ${newId}` });
  await expect(moved).toContainText(`provider ${second.id}`);
  expect(await readStream(chain, newId)).toMatchObject({ providerId: second.id, payee: second.owner, status: "active" });

  await moved.getByRole("button", { name: "End" }).click();
  await dialog.getByRole("button", { name: "Cancel", exact: true }).click();
  await expect(moved).toHaveCount(0);
  expect((await readStream(chain, newId)).status).toBe("closed");
  await expect(page.getByRole("heading", { name: "Ended" })).toBeVisible();
});

test("a contract wallet opens a session by ERC-1271, and gets its refund", async ({ page }) => {
  const { chain, rpcUrl } = runningNetwork();
  const owner = accountOf(19);
  const own = sendingAs(19);
  const address = await own.deploy("ContractWallet", [owner.address]);
  const funding = createWalletClient({ account: owner, transport: http(rpcUrl) });
  await chain.client.waitForTransactionReceipt({ hash: await funding.sendTransaction({ to: address, value: 10n ** 18n, chain: null }) });
  const offer = await offerOf("claw-tiny-1");
  const chat = await connectedChat(page, 19, offer.id, { account: owner, contractWallet: address });
  await chat.open("What is your name?");
  await expect(page.getByText("Receipt checked")).toBeVisible();
  const id = await chat.streamId();
  expect((await readStream(chain, id)).payer).toBe(address);
  await page.getByRole("button", { name: "End and take the rest back" }).click();
  await expect(chat.bill).toContainText("Ended for the time served");
  expect(await chain.client.getBalance({ address })).toBe(10n ** 18n - (await chat.amount("paid")));
});

test.describe("in a token", () => {
  test.use({ forgiven: [/^Failed to load resource/] });
  test("an offer in a token: one permit, one transaction; what no provider serves is found and taken back", async ({ page }) => {
    const { chain } = runningNetwork();
    const payer = accountOf(14);
    const seller = sendingAs(18);
    const token = await seller.deploy("MockToken", ["Test Dollar", "TUSD", 6]);
    const mint = parseAbi(["function mint(address to, uint256 amount)"]);
    await seller.call({ contract: token, abi: mint, functionName: "mint", args: [payer.address, 1_000_000n] });
    const { endpoint } = await offerOf("claw-tiny-1");
    const offered = await seller.call(
      registryWrites.registerProvider({ model: "in-dollars", pricePerSecond: 100n, endpoint, serviceType: 0, asset: token }),
    );
    const id = Number(BigInt(offered.logs[0]?.topics[1] ?? 0));
    try {
      const chat = await connectedChat(page, 14, id);
      await expect(page.getByLabel("Terms")).toContainText("0.006 TUSD");
      await chat.open("hello");
      await expect(page.getByRole("alert").filter({ hasText: /^Stream \d+ is open, but there is no session/ })).toBeVisible();
      expect(chat.wallet.prompts.slice(1)).toEqual(["eth_signTypedData_v4", "eth_sendTransaction", "eth_signTypedData_v4"]);
      const found = page.getByRole("region", { name: "Open streams" });
      await found.getByRole("button", { name: "End it" }).click();
      await expect(found).toHaveCount(0);
      const { streamPay } = chain.network.contracts;
      const balance = (owner: Address) =>
        chain.client.readContract({ address: token, abi: erc20Abi, functionName: "balanceOf", args: [owner] });
      const left = await balance(payer.address);
      expect(left).toBeGreaterThan(1_000_000n - 6000n);
      expect(left + (await balance(streamPay)) + (await balance(accountOf(18).address))).toBe(1_000_000n);
    } finally {
      await seller.call(registryWrites.updateProvider({ id, pricePerSecond: 100n, endpoint, active: false }));
    }
  });
});
