import { streamPayAbi } from "@clawcompute/lib/abi";
import { connectChain, createSender, listWalletOffers, readOffer, readStream, streamPayWrites } from "@clawcompute/lib/chain";
import { createLogger } from "@clawcompute/lib/node";
import { decodeSignedReceipt } from "@clawcompute/lib/protocol";
import { openStore, type Store } from "@clawcompute/lib/store";
import { createFakeClock, devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { type Address, type LocalAccount, zeroAddress } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createEchoBackend } from "./backends/echo.ts";
import { createChainTime } from "./chainTime.ts";
import { readPastIncome } from "./pastIncome.ts";
import { createPayer, eventsOf, type Payer, readAnswer, summarize } from "./testing/payer.ts";
import { createScriptedBackend } from "./testing/scriptedBackend.ts";
import { PRICE, startProvider } from "./testing/startProvider.ts";
import { createIncome, isDue } from "./withdraw.ts";

// Real chains and stores have to start.
vi.setConfig({ hookTimeout: 60_000, testTimeout: 60_000 });

const account = (index: number) => devAccounts[index] as LocalAccount;
const never = new AbortController().signal;
let local: LocalChain;
let store: Store;
let payer: Payer;

beforeAll(async () => {
  [local, store] = await Promise.all([startLocalChain({ blockTimeMs: 250 }), openStore({})]);
  payer = createPayer(local, account(3));
});
afterAll(async () => {
  await store?.close();
  await local?.stop();
});

const echo = { model: "echo", backend: createEchoBackend({ kind: "echo" }) };

describe("registration", () => {
  test("behavior: registers once, then updates, appoints the signer, and keeps an endpoint that others can reach", async () => {
    const owner = account(1);
    const runs = [
      { endpoint: "https://gpu.example/inference" },
      { endpoint: "https://gpu.example/inference", price: 2n * PRICE },
      { price: 2n * PRICE, signer: account(9) },
    ];
    const ids = [];
    for (const run of runs) {
      const provider = await startProvider({ local, owner, offers: [echo], store, ...run });
      ids.push(provider.providerId());
      await provider.stop();
    }
    expect(new Set(ids).size).toBe(1);
    expect(await readOffer(payer.chain, ids[0] as number)).toMatchObject({
      owner: owner.address,
      signer: account(9).address,
      pricePerSecond: 2n * PRICE,
      endpoint: "https://gpu.example/inference",
      active: true,
    });
    expect(await listWalletOffers(payer.chain, owner.address)).toHaveLength(1);
  });

  test("error: a wallet without coins cannot register; the provider says so and goes on", async () => {
    const poor = privateKeyToAccount(generatePrivateKey());
    const provider = await startProvider({ local, owner: poor, offers: [echo], store });
    expect((await fetch(`${provider.url}/health`)).status).toBe(200);
    const ready = await fetch(`${provider.url}/ready`);
    expect([ready.status, await ready.json()]).toEqual([503, { ready: false, waitingFor: ["the registration of echo"] }]);
    expect(provider.log.some((line) => line.includes("WALLET_UNFUNDED"))).toBe(true);
    await provider.stop();
  });
});

describe("price lock (P11)", () => {
  test("behavior: a higher price later does not touch a stream that is open", async () => {
    const owner = account(5);
    const before = await startProvider({ local, owner, offers: [echo], store });
    const streamId = await payer.openStream({ recipient: owner.address, providerId: before.providerId() });
    const { token } = await payer.session(before.url, streamId);
    await before.stop();
    const after = await startProvider({ local, owner, offers: [echo], store, price: 5n * PRICE });
    const answer = await readAnswer(await payer.chat(after.url, token, { model: "echo", stream: true }));
    const { receipt } = decodeSignedReceipt(answer.receipt);
    expect(receipt.amount).toBe((PRICE * BigInt(receipt.servedMs)) / 1000n);
    await after.stop();
  });
});

describe("replicas on one store", () => {
  test("behavior: tokens, nonces, receipts and the settlement are the same everywhere", async () => {
    const owner = account(6);
    const engine = createScriptedBackend();
    const one = await startProvider({ local, owner, offers: [{ model: "m", backend: engine }], store, limits: {} });
    const two = await startProvider({ local, owner, offers: [{ model: "m", backend: engine }], store, limits: {} });
    expect(two.providerId()).toBe(one.providerId());
    const streamId = await payer.openStream({ recipient: owner.address, providerId: one.providerId() });
    const proof = await payer.proofOf(streamId);
    const opened = await payer.post(`${one.url}/v1/sessions`, proof);
    const { token } = await opened.json();
    const replayed = await payer.post(`${two.url}/v1/sessions`, proof);
    expect([replayed.status, (await replayed.json()).error.code]).toEqual([401, "proof_replayed"]);

    const asked = payer.chat(two.url, token, { model: "m", stream: true });
    const call = await engine.nextCall();
    call.say("here");
    const events = eventsOf(await asked);
    const seen = [(await events.next()).value];
    // Settled at the other one: whoever still runs finds out at its next mark and ends, and nothing more is owed.
    const settled = await (await payer.post(`${one.url}/v1/sessions/settle`, {}, { authorization: `Bearer ${token}` })).json();
    call.say("more");
    for await (const event of events) {
      seen.push(event);
      if (event.data.includes("more")) await call.aborted;
    }
    const { receipt } = decodeSignedReceipt(summarize(seen).receipt);
    expect(receipt).toMatchObject({ reason: "cancelled", servedMs: 0 });
    const again = await (await payer.post(`${two.url}/v1/sessions/settle`, {}, { authorization: `Bearer ${token}` })).json();
    expect(again.settlement).toEqual(settled.settlement);
    await two.stop();
    await one.stop();
  });
});

describe("income", () => {
  const owner = account(7);
  const creditOf = (asset: Address) =>
    payer.chain.client.readContract({
      address: local.network.contracts.streamPay,
      abi: streamPayAbi,
      functionName: "creditOf",
      args: [owner.address, asset],
    });

  async function setUp(threshold = 1n) {
    const chain = connectChain(local.network);
    const logger = createLogger({ name: "t", level: "silent" });
    const chainTime = createChainTime({ clock: createFakeClock(0), staleAfterMs: 1e9 });
    const sender = createSender({ chain, account: owner, logger });
    const mining = { ...sender, send: (call: Parameters<typeof sender.send>[0]) => sender.send(call, { onSent: () => void local.mine() }) };
    const shared = { db: store.db, chain, payee: owner.address };
    const read = (id: bigint) => readStream(chain, id);
    const income = createIncome({ ...shared, sender: mining, chainTime, logger, read, creditOf, assets: [], threshold });
    const see = async () => {
      const block = await chain.client.getBlock();
      chainTime.observe({ number: block.number, timestampMs: Number(block.timestamp) * 1000 });
    };
    return { income, see, shared };
  }

  test("behavior: finds streams that began while it was away, leaves open ones alone, collects ended ones and credits", async () => {
    const { income, see, shared } = await setUp();
    const open = await payer.openStream({ recipient: owner.address, providerId: 0, seconds: 3_600 });
    const ended = await payer.openStream({ recipient: owner.address, providerId: 0, seconds: 10 });
    const cancelled = await payer.openStream({ recipient: owner.address, providerId: 0, seconds: 600 });
    await readPastIncome({ ...shared, income, signal: never });
    await local.advance(60);
    await payer.cancel(cancelled);
    const credit = await creditOf(zeroAddress);
    expect(credit).toBeGreaterThan(0n);

    // The deposit is used up, but a payer who holds a settlement still has time to use it.
    await see();
    await income.collect(never);
    expect((await readStream(shared.chain, ended)).status).toBe("ended");
    expect(await creditOf(zeroAddress)).toBe(0n);

    await local.advance(120);
    await see();
    const before = await shared.chain.client.getBalance({ address: owner.address });
    await income.collect(never);
    await income.collect(never);
    expect((await readStream(shared.chain, ended)).status).toBe("closed");
    const gained = (await shared.chain.client.getBalance({ address: owner.address })) - before;
    expect(gained).toBeGreaterThan(PRICE * 10n - 10n ** 15n);
    expect(gained).toBeLessThan(PRICE * 10n);
    expect((await readStream(shared.chain, open)).lastPaid).toBe((await readStream(shared.chain, open)).start);
  });

  test("behavior: what is below the threshold is left to grow", async () => {
    const { income, see } = await setUp(10n ** 18n);
    const id = await payer.openStream({ recipient: owner.address, providerId: 0, seconds: 5 });
    await income.remember([id]);
    await local.advance(200);
    await see();
    await income.collect(never);
    expect((await readStream(payer.chain, id)).status).toBe("ended");
  });

  test("behavior: a stream that somebody else closed is forgotten without a transaction", async () => {
    const { income, see } = await setUp();
    const id = await payer.openStream({ recipient: owner.address, providerId: 0, seconds: 5 });
    await income.remember([id]);
    await payer.send(streamPayWrites.cancelStream(id));
    await see();
    await income.collect(never);
    await income.collect(never);
    expect((await readStream(payer.chain, id)).status).toBe("closed");
  });

  test("behavior: isDue waits for the end and the grace, and for something to collect", () => {
    const state = { end: 1_000, lastPaid: 500 } as Parameters<typeof isDue>[0];
    expect([isDue(state, 1_119), isDue(state, 1_120), isDue({ ...state, lastPaid: 1_000 }, 2_000)]).toEqual([false, true, false]);
  });
});
