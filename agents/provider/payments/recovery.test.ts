import { PERMIT2_ADDRESS } from "@clawcompute/lib/protocol/payments";
import { eq, openStore, payAccounts, payTransfers, type Store } from "@clawcompute/lib/store";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { toClientEvmSigner } from "@x402/evm";
import { ExactEvmScheme } from "@x402/evm/exact/client";
import { wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import { concat, createWalletClient, encodeFunctionData, erc20Abi, http, type LocalAccount, numberToHex, parseAbi } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createEchoBackend } from "../backends/echo.ts";
import { type Death, dyingStore } from "../testing/dyingStore.ts";
import { PRICE, startProvider, type TestProvider } from "../testing/startProvider.ts";
import { deployToken } from "../testing/token.ts";
import { createTransfers } from "./transfers.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const accounts = devAccounts as readonly LocalAccount[];
const [deployer, owner, consumer] = [accounts[0], accounts[1], accounts[5]] as [LocalAccount, LocalAccount, LocalAccount];
const network = "eip155:31337";
const PAID = PRICE * 30n;
const deaths: readonly Death[] = [
  "reserved, nothing signed",
  "signed, not in the wallet's book",
  "in the wallet's book, not sent",
  "mined, still in the wallet's book",
  "mined and struck out, not counted",
];
let local: LocalChain;
let store: Store;
let token: Awaited<ReturnType<typeof deployToken>>;
const running: TestProvider[] = [];

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 100 });
  store = await openStore({});
  token = await deployToken(local, deployer, [consumer.address]);
});
afterEach(async () => {
  for (const provider of running.splice(0).reverse()) await provider.stop();
});
afterAll(async () => {
  await store?.close();
  await local?.stop();
});

async function start(over: Store = store): Promise<TestProvider> {
  const offers = [{ model: "m", backend: createEchoBackend({ kind: "echo" }), asset: token.address }];
  const provider = await startProvider({ local, store: over, owner, offers });
  running.push(provider);
  return provider;
}

const ask = (headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "one two three" }] }),
});
const chat = ({ url }: TestProvider) => `${url}/v1/chat/completions`;
const bearer = (value: string) => ({ authorization: `Bearer ${value}` });
const closeAt = ({ url }: TestProvider, balance: string) => fetch(`${url}/v1/balance/close`, { method: "POST", headers: bearer(balance) });
const statementAt = async ({ url }: TestProvider, balance: string) =>
  (await fetch(`${url}/v1/balance`, { headers: bearer(balance) })).json();

/** What a stock client signs for a payment, without sending it. */
async function sign(provider: TestProvider): Promise<string> {
  let signed = "";
  const catching = wrapFetchWithPaymentFromConfig(
    async (input, init) => {
      const request = new Request(input, init);
      signed = request.headers.get("payment-signature") ?? "";
      return signed ? new Response("kept") : fetch(request);
    },
    {
      schemes: [{ network, client: new ExactEvmScheme(toClientEvmSigner(consumer)) }],
      spendControls: { allowedAssets: [{ network, asset: token.address, maxAmountPerPayment: String(PRICE * 100n) }] },
    },
  );
  await catching(chat(provider), ask());
  return signed;
}

const leftOver = () => store.db.select().from(payTransfers).where(eq(payTransfers.state, "reserved"));
/** What was signed and never seen is looked for a minute long before it counts as never sent. */
const aMinuteLater = () => store.db.update(payTransfers).set({ createdAtMs: 0 }).where(eq(payTransfers.state, "reserved"));
const isSettled = () => vi.waitFor(async () => expect(await leftOver()).toEqual([]), { timeout: 20_000, interval: 50 });

describe("a payment that a crash cut short", () => {
  test.each(deaths)("behavior: %s: it is credited once, or taken again", async (death) => {
    const dying = dyingStore(store);
    const first = await start(dying);
    const signed = await sign(first);
    const before = await token.balanceOf(consumer.address);
    dying.dieAt(death);
    expect((await fetch(chat(first), ask({ "payment-signature": signed }))).ok).toBe(false);
    expect([dying.isDead(), (await leftOver()).length]).toEqual([true, 1]);

    await aMinuteLater();
    const second = await start();
    await isSettled();
    const answers = await Promise.all([0, 1].map(() => fetch(chat(second), ask({ "payment-signature": signed }))));
    const paid = answers.find(({ status }) => status === 200);
    expect(answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 409)).toEqual([]);
    expect(await token.balanceOf(consumer.address)).toBe(before - PAID);
    const statement = await statementAt(second, paid?.headers.get("clawcompute-balance-token") ?? "");
    expect(statement).toMatchObject({ state: "open", paid: String(PAID), transfers: [{ kind: "funding", state: "done" }] });
    expect(statement.transfers).toHaveLength(1);
  });

  test("error: an authorization that another transaction spent on somebody else is worth nothing", async () => {
    const dying = dyingStore(store);
    const first = await start(dying);
    const signed = await sign(first);
    dying.dieAt("reserved, nothing signed");
    await fetch(chat(first), ask({ "payment-signature": signed }));
    const { authorization } = JSON.parse(Buffer.from(signed, "base64").toString()).payload;
    const terms = { ...authorization, to: deployer.address, value: PAID, validAfter: 0n, validBefore: 9_999_999_999n };
    const signature = await consumer.signTypedData({
      domain: { name: "Test Dollar", version: "1", chainId: 31_337, verifyingContract: token.address },
      types: {
        TransferWithAuthorization: [
          { name: "from", type: "address" },
          { name: "to", type: "address" },
          { name: "value", type: "uint256" },
          { name: "validAfter", type: "uint256" },
          { name: "validBefore", type: "uint256" },
          { name: "nonce", type: "bytes32" },
        ],
      },
      primaryType: "TransferWithAuthorization",
      message: terms,
    });
    const received = await token.balanceOf(deployer.address);
    await createWalletClient({ account: deployer, transport: http(local.rpcUrl) }).writeContract({
      chain: null,
      address: token.address,
      abi: parseAbi(["function transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)"]),
      functionName: "transferWithAuthorization",
      args: [terms.from, terms.to, terms.value, terms.validAfter, terms.validBefore, terms.nonce, signature],
    });
    await vi.waitFor(async () => expect(await token.balanceOf(deployer.address)).toBe(received + PAID), 20_000);
    const second = await start();
    await isSettled();
    expect((await fetch(chat(second), ask({ "payment-signature": signed }))).status).toBe(402);
  });
});

describe("a payment by Permit2 that a crash cut short", () => {
  const answering = (word: bigint) => `0x7f${word.toString(16).padStart(64, "0")}60005260206000f3` as const;
  const cut = async (nonce: bigint) => {
    const key = `x402:permit2:${nonce}`;
    const paid = { method: "permit2", nonce: numberToHex(nonce, { size: 32 }), providerId: 1, ratePerSecond: String(PRICE) } as const;
    const intent = { asset: token.address, payer: consumer.address, sinceBlock: "0", paid };
    const transfer = { key, payment: nonce, kind: "funding", amount: PAID, intent, nowMs: 0 } as const;
    await createTransfers(store.db, 31_337).once(transfer, async () => {});
    return async () => (await store.db.select().from(payTransfers).where(eq(payTransfers.key, key)))[0]?.state;
  };

  test("behavior: the nonce's bit says whether it may come again, is paid, or went elsewhere", async () => {
    // Its bitmap has one bit set, for every owner.
    const [used, spent, unused] = [(77n << 8n) + 5n, (78n << 8n) + 5n, (77n << 8n) + 6n];
    await local.request(`${local.engine}_setCode`, [PERMIT2_ADDRESS, answering(1n << 5n)]);
    const states = [await cut(used), await cut(spent), await cut(unused)];
    const transfer = encodeFunctionData({ abi: erc20Abi, functionName: "transfer", args: [owner.address, PAID] });
    const data = concat([transfer, numberToHex(used, { size: 32 })]);
    const received = await token.balanceOf(owner.address);
    await createWalletClient({ account: consumer, transport: http(local.rpcUrl) }).sendTransaction({
      chain: null,
      to: token.address,
      data,
    });
    await vi.waitFor(async () => expect(await token.balanceOf(owner.address)).toBe(received + PAID), 20_000);
    await start();
    await isSettled();
    expect(await Promise.all(states.map((state) => state()))).toEqual(["done", "failed", undefined]);
    const [account] = await store.db.select().from(payAccounts).where(eq(payAccounts.payment, used));
    expect(account).toMatchObject({ accepted: PAID, payer: consumer.address.toLowerCase(), state: "open" });
    await local.request(`${local.engine}_setCode`, [PERMIT2_ADDRESS, "0x"]);
  });
});

describe("a refund that a crash cut short", () => {
  test.each(deaths)("behavior: %s: it is sent once", async (death) => {
    const dying = dyingStore(store);
    const first = await start(dying);
    const before = await token.balanceOf(consumer.address);
    const funded = await fetch(chat(first), ask({ "payment-signature": await sign(first) }));
    const balance = funded.headers.get("clawcompute-balance-token") ?? "";
    const { actual } = await statementAt(first, balance);
    dying.dieAt(death);
    expect((await closeAt(first, balance)).ok).toBe(false);
    expect([dying.isDead(), (await leftOver()).length]).toEqual([true, 1]);

    await aMinuteLater();
    const second = await start();
    const rest = PAID - BigInt(actual);
    await vi.waitFor(async () => expect(await statementAt(second, balance)).toMatchObject({ state: "closed", refunded: String(rest) }), {
      timeout: 20_000,
      interval: 50,
    });
    expect(await (await closeAt(second, balance)).json()).toMatchObject({ state: "closed", refunded: String(rest), left: "0" });
    expect(await token.balanceOf(consumer.address)).toBe(before - BigInt(actual));
    expect(await leftOver()).toEqual([]);
  });
});
