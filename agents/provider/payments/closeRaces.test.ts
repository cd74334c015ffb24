// The payer's way out and the provider's claim in one block, in both orders: on a real chain that holds its blocks back until both wait.
import { type ContractCall, channelWrites } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { openStore, type Store } from "@clawcompute/lib/store";
import { devAccounts, jointLoss, type LocalChain, recordJointFault, startLocalChain } from "@clawcompute/lib/testing";
import { encodeFunctionData, type Hex, type LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createEchoBackend } from "../backends/echo.ts";
import { createChannelPayer, receiptIn } from "../testing/channelPayer.ts";
import { startProvider, type TestProvider, testLimits } from "../testing/startProvider.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const [owner, consumer] = [devAccounts[1], devAccounts[5]] as readonly LocalAccount[] as [LocalAccount, LocalAccount];
/** High, so that one step is worth its gas to the provider: it claims each. */
const RATE = 10n ** 16n;
const STEP = RATE;
const DEPOSIT = RATE * 60n;
const GRACE_SECONDS = 900;
const BLOCK_MS = 250;
const orders = [["first"], ["last"]] as const;
let local: LocalChain;
let store: Store;
let provider: TestProvider;
let payer: ReturnType<typeof createChannelPayer>;

const start = () =>
  startProvider({
    local,
    store,
    owner,
    price: RATE,
    // So that its offer stays as it is when it comes back: then it has nothing to send but claims.
    endpoint: "http://127.0.0.1:9",
    offers: [{ model: "m", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 20 }) }],
    limits: { withdrawEveryMs: 200, payments: { ...testLimits.payments, claimAbove: STEP } },
  });

beforeAll(async () => {
  [local, store] = await Promise.all([startLocalChain({ blockTimeMs: BLOCK_MS }), openStore({})]);
  payer = createChannelPayer(local, consumer);
  provider = await start();
});
afterAll(async () => {
  await provider?.stop();
  await store?.close();
  await local?.stop();
});

const holdBlocks = () => local.request("evm_setIntervalMining", [0]);
const releaseBlocks = () => local.request("evm_setIntervalMining", [BLOCK_MS]);
const waitingOf = async ({ address }: LocalAccount) => {
  const { client } = payer.chain;
  const [sent, mined] = await Promise.all([
    client.getTransactionCount({ address, blockTag: "pending" }),
    client.getTransactionCount({ address, blockTag: "latest" }),
  ]);
  return sent - mined;
};

/** The payer's transaction, beside whatever waits already; what is paid for it decides which comes first. */
async function sendBeside(call: ContractCall, place: "first" | "last"): Promise<Hex> {
  const { client, network } = payer.chain;
  const tip = place === "first" ? 500_000_000_000n : 1n;
  const { baseFeePerGas } = await client.getBlock();
  const raw = await consumer.signTransaction({
    chainId: network.chainId,
    type: "eip1559",
    nonce: await client.getTransactionCount({ address: consumer.address }),
    to: network.contracts.paymentChannel,
    data: encodeFunctionData(call as Parameters<typeof encodeFunctionData>[0]),
    gas: 700_000n,
    maxPriorityFeePerGas: tip,
    maxFeePerGas: (baseFeePerGas ?? 0n) * 2n + tip,
  });
  return client.sendRawTransaction({ serializedTransaction: raw });
}

/** An answer paid for with one step; what each side says that it took. */
async function served() {
  const channel = await payer.open(provider.url, { deposit: DEPOSIT });
  const askedAt = performance.now();
  const messages = [{ role: "user", content: "word ".repeat(10) }];
  const answer = await channel.chat(await channel.opening(STEP / 2n), { messages });
  expect(answer.status).toBe(200);
  await answer.text();
  const stopwatchMs = performance.now() - askedAt;
  const { spent } = receiptIn(await channel.pay(0n));
  return { channel, servedByMeter: spent, servedByStopwatch: costDown(RATE, stopwatchMs) };
}

/** One block with both: the place of the payer's transaction in it, and what became of it. */
async function mineBoth(hash: Hex) {
  await local.mine();
  const { status, transactionIndex } = await payer.chain.client.getTransactionReceipt({ hash });
  expect(await waitingOf(owner)).toBe(0);
  return { status, place: transactionIndex === 0 ? "first" : "last" };
}

const record = (broken: string, loss: { providerWei: bigint; payerWei: bigint }) => {
  expect(loss.payerWei).toBeLessThanOrEqual(STEP);
  // What it left unclaimed, and the step of credit.
  expect(loss.providerWei).toBeLessThanOrEqual(STEP * 2n);
  recordJointFault({ broken, promise: "P2, P4, P5", ratePerSecond: RATE, boundMs: 1_000, providerBoundMs: 2_000, ...loss });
};

describe("behavior: in one block with the provider's claim", () => {
  test.each(orders)("the payer's notice, %s: the voucher is cashed once, the rest comes back (P2)", async (place) => {
    const { channel, ...measured } = await served();
    await holdBlocks();
    // All that may be left unclaimed: it is claimed at the next look.
    expect((await channel.pay(STEP)).status).toBe(204);
    await vi.waitFor(async () => expect(await waitingOf(owner)).toBe(1), 20_000);
    const mined = await mineBoth(await sendBeside(channelWrites.requestClose(channel.channelId), place));
    await releaseBlocks();
    expect(mined).toEqual({ status: "success", place });
    expect(await channel.state()).toMatchObject({ status: "closing", settled: STEP });
    await local.advance(GRACE_SECONDS + 1);
    const before = await payer.chain.client.getBalance({ address: consumer.address });
    const { receipt } = await payer.send(channelWrites.withdraw(channel.channelId));
    const gained = (await payer.chain.client.getBalance({ address: consumer.address })) - before;
    expect(gained + receipt.gasUsed * receipt.effectiveGasPrice).toBe(DEPOSIT - STEP);
    record(`the payer's notice and the provider's claim in one block, the notice ${place}`, jointLoss({ paid: STEP, ...measured }));
  });

  test.each(orders)("the payer's withdrawal, %s: a provider away for the whole notice loses what it left unclaimed (P5)", async (place) => {
    const { channel, ...measured } = await served();
    await provider.stop();
    await payer.send(channelWrites.requestClose(channel.channelId));
    await local.advance(GRACE_SECONDS + 1);
    await holdBlocks();
    provider = await start();
    await vi.waitFor(async () => expect(await waitingOf(owner)).toBe(1), 20_000);
    const mined = await mineBoth(await sendBeside(channelWrites.withdraw(channel.channelId), place));
    await releaseBlocks();
    expect(mined).toEqual({ status: place === "first" ? "success" : "reverted", place });
    const paid = place === "first" ? 0n : STEP / 2n;
    expect(await channel.state()).toMatchObject({ status: "closed", settled: paid });
    const broken = `the provider comes back when the notice is over; its closing and the payer's withdrawal in one block, the withdrawal ${place}`;
    record(broken, jointLoss({ paid, ...measured }));
  });
});

test("behavior: while the provider closes a channel nothing opens it again, and nothing more is served on it (P5)", async () => {
  const { channel } = await served();
  await holdBlocks();
  try {
    const { spent } = receiptIn(await channel.pay(0n));
    const closing = channel.close(spent);
    await vi.waitFor(async () => expect(await waitingOf(owner)).toBe(1), 20_000);
    // The chain says "open" for as long as the closing waits.
    const hash = `0x${"0".repeat(64)}`;
    const toppedUp = await channel.manage({
      action: "topUp",
      type: "hash",
      channelId: channel.channelId,
      hash,
      additionalDeposit: 0n,
    });
    expect((await toppedUp.json()).error.code).toBe("channel_closing");
    const asked = await channel.chat(await channel.voucher(STEP * 30n));
    expect((await asked.json()).error.code).toBe("channel_closing");
    await local.mine();
    expect((await closing).status).toBe(204);
    expect(await channel.state()).toMatchObject({ status: "closed", settled: spent });
  } finally {
    await releaseBlocks();
  }
});
