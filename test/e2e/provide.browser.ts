import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { computeRegistryAbi, streamPayAbi } from "@clawcompute/lib/abi";
import { createdStreamId, listWalletOffers, readOffer, readStream, registryWrites, streamPayWrites } from "@clawcompute/lib/chain";
import { devAccounts } from "@clawcompute/lib/testing";
import { test as plain } from "@playwright/test";
import { type LocalAccount, parseEther, zeroAddress } from "viem";
import { choosePort } from "../../scripts/dev/ports.ts";
import { chainActor } from "./harness/chainActor.ts";
import { expect, test } from "./harness/cleanPage.ts";
import { openConnected } from "./harness/connected.ts";
import { runClaw, startClaw } from "./harness/processes.ts";
import { runningNetwork } from "./harness/runningNetwork.ts";
import type { AskOutput } from "./harness/world.ts";
import { keyOf } from "./harness/world.ts";

const PAYER = 15;
const payer = devAccounts[PAYER] as LocalAccount;

// Its endpoint is down before and after its agent runs, which a browser tells as an error.
plain("an offer registered on the page is chosen by a buyer, repriced, and drained", async ({ page }) => {
  plain.setTimeout(240_000);
  const { chain, rpcUrl } = runningNetwork();
  const owner = 9;
  const model = "page-made";
  const { port } = await choosePort(0);
  const endpoint = `http://127.0.0.1:${port}`;
  const { account } = await openConnected(page, "/provide", owner);

  // What cannot be registered is refused with words, and nothing is asked of the wallet.
  await page.getByRole("button", { name: "Review the offer" }).click();
  await expect(page.getByText("Give the model a name.")).toBeVisible();
  await page.getByRole("textbox", { name: "Model" }).fill(model);
  await page.getByLabel("Endpoint").fill(endpoint);
  await page.getByLabel("Price").fill("0.00001");
  await expect(page.getByText("0.036 ETH")).toBeVisible();
  await page.getByRole("button", { name: "Review the offer" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Register" }).click();
  const offer = page.getByRole("article", { name: new RegExp(`^${model}, provider \\d+$`) });
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(offer).toContainText("Taking work");

  const [registered] = await listWalletOffers(chain, account.address);
  if (!registered) throw new Error("nothing was registered");
  const { id } = registered;
  expect(registered).toMatchObject({ model, endpoint, pricePerSecond: parseEther("0.00001"), serviceType: 0, active: true });
  const registry = { address: chain.network.contracts.registry, abi: computeRegistryAbi } as const;
  expect(await chain.client.readContract({ ...registry, functionName: "getCheapestProvider", args: [model] })).toEqual([
    BigInt(id),
    parseEther("0.00001"),
  ]);

  // The agent behind the endpoint serves the offer that the page made, and a buyer that asks for the model gets it.
  const home = await mkdtemp(join(tmpdir(), "page-provider-"));
  const base = { NETWORK: "local", RPC_URL: rpcUrl, HOME: home };
  const agent = startClaw(["provider"], {
    ...base,
    PROVIDER_PRIVATE_KEY: keyOf(owner),
    PROVIDER_HOST: "127.0.0.1",
    PROVIDER_PORT: String(port),
    ENDPOINT_URL: endpoint,
    DATA_DIR: join(home, "data"),
    BACKEND: "echo",
    MODEL_NAME: model,
    PRICE_PER_SECOND: "0.00001",
  });
  try {
    await agent.line(new RegExp(`ready: .* \\(provider ${id},`));
    expect(await listWalletOffers(chain, account.address)).toHaveLength(1);
    const asked = await runClaw(["ask", "--json", "--model", model, "Who answers?"], { ...base, PRIVATE_KEY: keyOf(PAYER) });
    const answer = JSON.parse(asked.stdout) as AskOutput;
    expect([asked.code, answer.providerId, answer.model]).toEqual([0, id, model]);
    await page.goto("/");
    await page.getByRole("searchbox").fill(model);
    const row = page.getByRole("article", { name: `${model}, provider ${id}` });
    await expect(row).toContainText(/Ready, \d+ ms/);
    await expect(row).toContainText("1 payment");
  } finally {
    await agent.kill("SIGKILL");
    await rm(home, { recursive: true, force: true });
  }

  await page.goto("/provide");
  await offer.getByRole("button", { name: "Price and endpoint" }).click();
  await page.getByRole("dialog").getByLabel("Price").fill("0.00002");
  const neighbour = (await readOffer(chain, 1)).endpoint;
  await page.getByRole("dialog").getByLabel("Endpoint").fill(neighbour);
  await page.getByRole("dialog").getByRole("button", { name: "Review" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Change it" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(offer).toContainText("0.00002 ETH/s");
  expect(await readOffer(chain, id)).toMatchObject({ pricePerSecond: parseEther("0.00002"), endpoint: neighbour, active: true });

  await offer.getByRole("button", { name: "Drain" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Drain" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(offer).toContainText("Drained");
  expect((await readOffer(chain, id)).active).toBe(false);
  await page.goto("/");
  await page.getByRole("searchbox").fill(model);
  await expect(page.getByText("No provider fits these filters")).toBeVisible();
});

test("income is withdrawn from one stream, then from all with two transactions", async ({ page }) => {
  const { chain } = runningNetwork();
  const owner = devAccounts[17] as LocalAccount;
  const streamPay = { address: chain.network.contracts.streamPay, abi: streamPayAbi } as const;
  const neighbour = (await readOffer(chain, 1)).endpoint;
  const [receipt] = await chainActor(chain, owner).send(
    registryWrites.registerProvider({ model: "earner", pricePerSecond: 1000n, endpoint: neighbour, serviceType: 0 }),
  );
  const [mine] = await listWalletOffers(chain, owner.address);
  if (!receipt || !mine) throw new Error("nothing was registered");
  // Too little for a keeper to come by.
  const stream = { recipient: owner.address, durationSeconds: 3600, serviceType: 0, providerId: mine.id, value: 3600n * 10n ** 12n };
  const opened = await chainActor(chain, payer).send(...[0, 1, 2].map(() => streamPayWrites.createStream(stream)));
  const ids = opened.map((one) => createdStreamId(one));
  const [first] = ids;
  if (first === undefined) throw new Error("nothing was opened");

  const wallet = await openConnected(page, "/provide", 17);
  await expect(page.locator("dl > div").filter({ hasText: "Open streams to you" })).toContainText("3");
  await page.getByRole("tab", { name: "Income" }).click();
  await page.getByRole("button", { name: `Withdraw from stream ${first}`, exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Withdraw" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  const withdrawn = await readStream(chain, first);
  expect(withdrawn.lastPaid).toBeGreaterThan(withdrawn.start);
  expect(wallet.prompts.filter((prompt) => prompt === "eth_sendTransaction")).toHaveLength(1);

  await page.getByRole("button", { name: "Withdraw all" }).click();
  const before = await chain.client.getBlockNumber();
  await page.getByRole("dialog").getByRole("button", { name: "Withdraw all" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  expect(wallet.prompts.filter((prompt) => prompt === "eth_sendTransaction")).toHaveLength(3);
  const read = { ...streamPay, fromBlock: before, strict: true } as const;
  const updates = await chain.client.getContractEvents({ ...read, eventName: "StreamUpdated", args: { id: ids } });
  const [collected] = await chain.client.getContractEvents({ ...read, eventName: "CreditWithdrawn", args: { account: owner.address } });
  // Credit and the keeper's share together are what accrued: collecting everything costs no more than its gas.
  expect(new Set(updates.map(({ args }) => args.id))).toEqual(new Set(ids));
  expect(collected?.args.amount).toBe(updates.reduce((sum, { args }) => sum + args.accrued - args.reward, 0n));
  expect(await chain.client.readContract({ ...streamPay, functionName: "creditOf", args: [owner.address, zeroAddress] })).toBe(0n);
  await chainActor(chain, payer).send(...ids.map((id) => streamPayWrites.cancelStream(id)));
  await chainActor(chain, owner).send(
    registryWrites.updateProvider({ id: mine.id, pricePerSecond: 1000n, endpoint: neighbour, active: false }),
  );
});

test("a refusal of the contract is explained before anything is sent", async ({ page }) => {
  const wallet = await openConnected(page, "/provide", 9);
  await page.getByRole("tab", { name: "New offer" }).click();
  await page.getByRole("textbox", { name: "Model" }).fill("never");
  await page.getByLabel("Endpoint").fill("http://127.0.0.1:8701");
  // An address without a contract is no token.
  await page.getByLabel("Paid in a token").fill("0x000000000000000000000000000000000000dEaD");
  await page.getByLabel("Price").fill("5");
  await page.getByRole("button", { name: "Review the offer" }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toContainText("Name the address of an ERC-20 on this chain");
  await expect(page.getByRole("dialog").getByRole("button", { name: "Register" })).toBeDisabled();
  expect(wallet.prompts).not.toContain("eth_sendTransaction");
});
