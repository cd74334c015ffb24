import { type Chain, listActiveOffers, listWalletOffers, type Offer, readOffer, registryWrites } from "@clawcompute/lib/chain";
import { devAccounts } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { chainActor } from "./harness/chainActor.ts";
import { expect, test } from "./harness/cleanPage.ts";
import { deployMockToken } from "./harness/mockToken.ts";
import { runningNetwork } from "./harness/runningNetwork.ts";

const seller = devAccounts[19] as LocalAccount;
const MANY = 300;

/** Takes back what the seller offers, a hundred at once. */
async function drainAll(chain: Chain) {
  const active = (await listWalletOffers(chain, seller.address)).filter(({ active }) => active);
  const drain = ({ id, pricePerSecond, endpoint }: Offer) => registryWrites.updateProvider({ id, pricePerSecond, endpoint, active: false });
  for (let from = 0; from < active.length; from += 100) await chainActor(chain, seller).send(...active.slice(from, from + 100).map(drain));
}

test("the market lists the live providers, as the chain tells them", async ({ page }) => {
  const offers = await listActiveOffers(runningNetwork().chain);
  await page.goto("/");
  for (const model of ["claw-tiny-1", "claw-tiny-2", "echo"]) {
    const offer = offers.find((one) => one.model === model);
    const row = page.getByRole("article", { name: `${model}, provider ${offer?.id}` });
    await expect(row).toContainText("ETH/s");
    await expect(row).toContainText(/Ready, \d+ ms/);
  }
  await expect(page.getByText(`${offers.length} on offer`)).toBeVisible();
  await page.getByRole("searchbox").fill("tiny-2");
  await expect(page.getByRole("article")).toHaveCount(1);
});

test("hundreds of providers scroll, filter and sort without being in the page; a new one appears by itself", async ({ page }) => {
  test.setTimeout(120_000);
  const { chain } = runningNetwork();
  // It answers, but not for these offers.
  const { endpoint } = await readOffer(chain, 1);
  const register = (index: number) =>
    registryWrites.registerProvider({
      model: index % 3 === 0 ? "many-a" : "many-b",
      pricePerSecond: 10n ** 15n + BigInt(index) * 10n ** 12n,
      endpoint,
      serviceType: index % 2,
    });
  for (let from = 0; from < MANY; from += 100)
    await chainActor(chain, seller).send(...Array.from({ length: 100 }, (_, index) => register(from + index)));
  try {
    await page.goto("/");
    const rows = page.getByRole("article");
    const total = (await listActiveOffers(chain)).length;
    await expect(page.getByText(`${total} on offer`)).toBeVisible();
    expect(await rows.count()).toBeLessThan(40);
    await expect(page.locator(`li[aria-setsize="${total}"]`).first()).toHaveAttribute("aria-posinset", "1");
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await expect(page.locator(`li[aria-posinset="${total}"]`)).toBeInViewport();
    expect(await rows.count()).toBeLessThan(40);

    await page.getByLabel("Model", { exact: true }).selectOption("many-a");
    await expect(page.getByText(`100 of ${total}`)).toBeVisible();
    await page.getByLabel("Service").selectOption("Image");
    await expect(page.getByText(`50 of ${total}`)).toBeVisible();
    // 0.001003 ETH a second and below, for a minute.
    await page.getByLabel(/^Most that a minute may cost/).fill("0.06018");
    await expect(rows).toHaveCount(1);
    await expect(rows).toContainText("0.001003 ETH/s");
    await page.reload();
    await expect(rows).toHaveCount(1);
    await page.getByRole("button", { name: "As cards" }).click();
    await expect(rows).toContainText("3.6108 ETH/h");
    await page.getByLabel("Ready only").check();
    await expect(page.getByText("No provider fits these filters")).toBeVisible();
    await page.getByRole("button", { name: "Show every provider" }).click();
    await page.getByLabel("Order").selectOption("Newest first");
    await expect(page.getByText(`${total} on offer`)).toBeVisible();

    const asset = await deployMockToken(chain, seller, "Six", "SIX", 6);
    await chainActor(chain, seller).send(
      registryWrites.registerProvider({ model: "for-tokens", pricePerSecond: 1_500n, endpoint, serviceType: 0, asset }),
    );
    await expect(rows.first()).toContainText("for-tokens");
    await expect(rows.first()).toContainText("0.0015 SIX/s");
  } finally {
    await drainAll(chain);
  }
  await expect(page.getByText(`${(await listActiveOffers(chain)).length} on offer`)).toBeVisible();
});

test("a token that calls itself like the coin is shown by its address", async ({ page }) => {
  const { chain } = runningNetwork();
  const { endpoint } = await readOffer(chain, 1);
  const asset = await deployMockToken(chain, seller, "Ether", "ETH", 18);
  await chainActor(chain, seller).send(
    registryWrites.registerProvider({ model: "a\u202etrap\u0007", pricePerSecond: 10n ** 14n, endpoint, serviceType: 0, asset }),
  );
  try {
    await page.goto("/?q=atrap");
    const row = page.getByRole("article", { name: /^atrap, provider/ });
    await expect(row).toContainText(`${asset.slice(0, 6)}…${asset.slice(-4)}/s`);
    await expect(row).not.toContainText("ETH/s");
  } finally {
    await drainAll(chain);
  }
});

test("a provider's page says what it costs, at worst and until now", async ({ page }) => {
  const { chain } = runningNetwork();
  const offer = (await listActiveOffers(chain, { model: "claw-tiny-1" }))[0];
  await page.goto(`/providers/${offer?.id}`);
  await expect(page.getByRole("heading", { name: "claw-tiny-1" })).toBeVisible();
  // P3: price × (30 s + 2 s + 1 s).
  const worst = page.getByRole("region", { name: "What you agree to" }).getByTitle(`${(offer?.pricePerSecond ?? 0n) * 33n} wei`);
  await expect(worst).toBeVisible();
  await expect(page.getByText(/^\d+, \d+ to \d+ ms, half within \d+ ms$/)).toBeVisible();
  await expect(page.getByRole("figure", { name: "Price per second" })).toContainText("0.00008 ETH/s");
  await page.goto("/providers/4000000000");
  await expect(page.getByRole("alert").filter({ hasText: "cannot be shown" })).toContainText("this id was never registered here");
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
