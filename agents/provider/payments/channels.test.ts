import { channelWrites } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { decodeSignedReceipt, verifyReceiptSignature, ZERO_HASH } from "@clawcompute/lib/protocol";
import { decodeNeedVoucher, decodeReceiptEvent, parseChallenges, readSessionTerms } from "@clawcompute/lib/protocol/payments";
import { devAccounts, jointLoss, type LocalChain, recordJointFault, startLocalChain } from "@clawcompute/lib/testing";
import { concat, type LocalAccount, numberToHex, parseSignature } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createChannelPayer, receiptIn } from "../testing/channelPayer.ts";
import { eventsOf, readAnswer } from "../testing/payer.ts";
import { placeCode } from "../testing/permit2.ts";
import { createScriptedBackend } from "../testing/scriptedBackend.ts";
import { PRICE, startProvider, type TestProvider } from "../testing/startProvider.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const [owner, consumer, signer, stranger] = [devAccounts[1], devAccounts[5], devAccounts[2], devAccounts[6]] as readonly LocalAccount[] as [
  LocalAccount,
  LocalAccount,
  LocalAccount,
  LocalAccount,
];
const backend = createScriptedBackend();
let local: LocalChain;
let provider: TestProvider;
let payer: ReturnType<typeof createChannelPayer>;

beforeAll(async () => {
  local = await startLocalChain();
  provider = await startProvider({
    local,
    owner,
    signer,
    offers: [{ model: "m", backend, maxConcurrency: 64 }],
    limits: { perStream: 64, queueLength: 64 },
  });
  payer = createChannelPayer(local, consumer);
});
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
});

const codeOf = async (response: Response) => ({ status: response.status, code: (await response.json()).error.code });
const say = async () => {
  const call = await backend.nextCall();
  call.role();
  call.say("Hello");
  return call;
};

describe("a 402 behavior: it lists the way to pay by channel", () => {
  test.each(["GET", "HEAD", "POST"])("%s", async (method) => {
    const response = await fetch(`${provider.url}/v1/chat/completions`, { method });
    expect([response.status, response.headers.get("cache-control")]).toEqual([402, "no-store"]);
    const [challenge] = parseChallenges(response.headers.get("www-authenticate"));
    if (!challenge) throw new Error("no challenge");
    expect(challenge).toMatchObject({ method: "evm", intent: "session", header: "Payment-Authorization" });
    expect(readSessionTerms(challenge)).toMatchObject({
      amount: PRICE,
      unitType: "second",
      recipient: owner.address,
      externalId: String(provider.providerId()),
      methodDetails: { escrowContract: local.network.contracts.paymentChannel, voucherStep: PRICE },
    });
  });
});

describe("an answer by channel", () => {
  test("behavior: exact to the millisecond (P6), receipts signed and chained, the rest refunded by one close", async () => {
    const channel = await payer.open(provider.url, { deposit: PRICE * 60n });
    const asking = channel.chat(await channel.opening(PRICE), { stream: true });
    const call = await say();
    call.finish();
    call.end();
    const response = await asking;
    expect(response.status).toBe(200);
    expect(receiptIn(response)).toMatchObject({ channelId: channel.channelId, acceptedCumulative: PRICE, chainId: 31337 });
    const answer = await readAnswer(response);
    expect([answer.text, answer.done]).toEqual(["Hello", true]);
    const { receipt, signature } = decodeSignedReceipt(answer.receipt);
    const { chainId, contracts } = local.network;
    await verifyReceiptSignature({ chainId, verifyingContract: contracts.streamPay }, receipt, signature, signer.address);
    expect(receipt).toMatchObject({ kind: "channel", payment: channel.channelId, previousReceiptHash: ZERO_HASH, reason: "stop" });
    expect(receipt.cumulativeAmount).toBe(costDown(PRICE, receipt.servedMs));
    const last = answer.events.find(({ event }) => event === "payment-receipt");
    expect(decodeReceiptEvent(last?.data ?? "")).toMatchObject({
      spent: receipt.cumulativeAmount,
      reason: "stop",
      units: receipt.servedMs,
    });

    const managed = await channel.manage(await channel.opening(0n));
    expect(managed.status).toBe(204);
    const { spent, servedMs } = receiptIn(managed);
    expect([spent, servedMs]).toEqual([receipt.cumulativeAmount, receipt.cumulativeServedMs]);

    const paidBefore = await payer.chain.client.getBalance({ address: consumer.address });
    const closed = await channel.close(spent);
    expect(closed.status).toBe(204);
    expect(receiptIn(closed).txHash).toMatch(/^0x[0-9a-f]{64}$/);
    expect(await channel.state()).toMatchObject({ status: "closed", settled: spent });
    expect(await payer.chain.client.getBalance({ address: consumer.address })).toBe(paidBefore + PRICE * 60n - spent);
    expect(await codeOf(await channel.chat(await channel.voucher(spent)))).toEqual({ status: 410, code: "channel_closed" });
  });

  test("behavior: vouchers asked for at the low-water mark keep it going; without them it waits and is cut (P5, P7)", async () => {
    const channel = await payer.open(provider.url, { deposit: PRICE * 60n });
    const askedAt = performance.now();
    const asking = channel.chat(await channel.opening(PRICE), { stream: true });
    const call = await say();
    const response = await asking;
    const needs: bigint[] = [];
    let finish: string | undefined;
    let reason: string | undefined;
    for await (const { event, data, comment } of eventsOf(response)) {
      if (comment !== undefined || data === "[DONE]") continue;
      if (event === "payment-need-voucher") {
        const need = decodeNeedVoucher(data);
        needs.push(need.requiredCumulative);
        if (needs.length === 1) {
          expect(need).toMatchObject({ channelId: channel.channelId, acceptedCumulative: PRICE });
          expect((await channel.pay(need.requiredCumulative)).status).toBe(204);
          call.say(" again");
        }
      } else if (event === "payment-receipt") reason = decodeReceiptEvent(data).reason;
      else finish = JSON.parse(data).choices?.[0]?.finish_reason ?? finish;
    }
    expect(needs.length).toBeGreaterThanOrEqual(2);
    expect([finish, reason]).toEqual(["length", "runway"]);
    await call.aborted;
    const measuredMs = performance.now() - askedAt;
    const { spent, acceptedCumulative: paid } = receiptIn(await channel.manage(await channel.opening(0n)));
    const loss = jointLoss({ paid, servedByMeter: spent, servedByStopwatch: costDown(PRICE, measuredMs) });
    // P5: never more than one step is unpaid; the look at the clock comes a little late on a busy machine.
    expect(loss.providerWei).toBeLessThanOrEqual(PRICE + PRICE / 2n);
    expect(loss.payerWei).toBe(0n);
    const broken = "the payer stops signing in the middle of an answer";
    recordJointFault({ broken, promise: "P5, P7", ratePerSecond: PRICE, boundMs: 1_500, ...loss });
    expect(await codeOf(await channel.chat(await channel.voucher(paid)))).toEqual({ status: 402, code: "voucher_needed" });
  });

  test("behavior: not streamed, receipt in the headers; then another answer with a newer voucher on the same channel", async () => {
    const channel = await payer.open(provider.url, { deposit: PRICE * 60n });
    for (const [index, payload] of [await channel.opening(PRICE), await channel.voucher(PRICE * 5n)].entries()) {
      const asking = channel.chat(payload);
      const call = await say();
      call.finish();
      call.end();
      const response = await asking;
      expect([response.status, (await response.json()).choices[0].message.content]).toEqual([200, "Hello"]);
      const { receipt } = JSON.parse(Buffer.from(response.headers.get("clawcompute-receipt") ?? "", "base64url").toString());
      expect(receiptIn(response).spent).toBe(BigInt(receipt.cumulativeAmount));
      expect(receipt.previousReceiptHash === ZERO_HASH).toBe(index === 0);
    }
  });

  test("behavior: 64 requests at once on one channel are paid by the time in which any of them ran", async () => {
    const channel = await payer.open(provider.url, { deposit: PRICE * 600n });
    expect((await channel.manage(await channel.opening(PRICE * 100n))).status).toBe(204);
    const startedAt = Date.now();
    const payload = await channel.voucher(PRICE * 100n);
    const asking = Array.from({ length: 64 }, () => channel.chat(payload));
    for (let index = 0; index < 64; index += 1) {
      const call = await say();
      call.finish();
      call.end();
    }
    const answers = await Promise.all(asking);
    const tookMs = Date.now() - startedAt;
    expect(answers.map(({ status }) => status)).toEqual(Array(64).fill(200));
    const receipts = answers.map(
      (answer) => JSON.parse(Buffer.from(answer.headers.get("clawcompute-receipt") ?? "", "base64url").toString()).receipt,
    );
    const { spent } = receiptIn(await channel.manage(payload));
    const billed = receipts.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
    const loss = jointLoss({ paid: billed, servedByMeter: spent, servedByStopwatch: costDown(PRICE, tookMs) });
    expect(loss).toEqual({ providerWei: 0n, payerWei: 0n });
    recordJointFault({ broken: "64 requests at once on one channel", promise: "P4, P5", ratePerSecond: PRICE, boundMs: 0, ...loss });
    expect(new Set(receipts.map(({ previousReceiptHash }) => previousReceiptHash)).size).toBe(64);
  });
});

describe("vouchers error", () => {
  test("replayed, older, for another chain or contract, by another key, above the deposit, for another channel", async () => {
    const channel = await payer.open(provider.url, { deposit: PRICE * 10n });
    expect((await channel.manage(await channel.opening(PRICE))).status).toBe(204);
    expect((await channel.pay(PRICE * 3n)).status).toBe(204);
    const other = await payer.open(provider.url, { deposit: PRICE });
    const elsewhere = { ...payer.domain, verifyingContract: local.network.contracts.streamPay };
    const bad: readonly (readonly [broken: string, payload: object, code: string | undefined])[] = [
      ["replayed", await channel.voucher(PRICE * 3n), undefined],
      ["older than the newest", await channel.voucher(PRICE), undefined],
      ["for another chain", await channel.voucher(PRICE * 4n, { domain: { ...payer.domain, chainId: 56 } }), "voucher_invalid"],
      ["for another contract", await channel.voucher(PRICE * 4n, { domain: elsewhere }), "voucher_invalid"],
      ["by another key", await channel.voucher(PRICE * 4n, { by: stranger }), "voucher_invalid"],
      ["older, and by another key", await channel.voucher(PRICE, { by: stranger }), "voucher_invalid"],
      ["for another channel", await channel.voucher(PRICE * 4n, { id: other.channelId }), "voucher_invalid"],
      ["without a signature", { ...(await channel.voucher(PRICE * 4n)), signature: "0x1234" }, "voucher_invalid"],
      ["above the deposit", await channel.voucher(PRICE * 11n), "voucher_above_deposit"],
    ];
    for (const [broken, payload, code] of bad) {
      const response = await channel.manage(payload);
      if (code) expect(await codeOf(response)).toEqual({ status: 402, code });
      else expect(response.status).toBe(204);
      const { acceptedCumulative, spent } = receiptIn(await channel.pay(0n));
      expect([acceptedCumulative, spent]).toEqual([PRICE * 3n, 0n]);
      // It is worth nothing: neither an answer nor a wei more to cash.
      const loss = jointLoss({ paid: acceptedCumulative - PRICE * 3n, servedByMeter: spent, servedByStopwatch: 0n });
      recordJointFault({ broken: `a voucher ${broken}`, promise: "P4, P5", ratePerSecond: PRICE, boundMs: 0, ...loss });
    }
    expect(await codeOf(await other.pay(1n))).toEqual({ status: 410, code: "channel_unknown" });
  });

  test("challenges that are forged, or terms that pay somebody else", async () => {
    const channel = await payer.open(provider.url, { deposit: PRICE, payee: stranger.address });
    expect(await codeOf(await channel.manage(await channel.opening(0n)))).toEqual({ status: 401, code: "wrong_provider" });
    const good = await payer.open(provider.url, { deposit: PRICE });
    const forged = Object.assign(good.challenge, { request: good.challenge.request.replace(/^./, "f") });
    expect((await good.manage(await good.opening(0n))).status).toBeGreaterThanOrEqual(400);
    expect(forged.id).toBe(good.challenge.id);
  });

  test("not opened on chain yet", async () => {
    const channel = await payer.open(provider.url, { deposit: PRICE });
    const opening = await channel.opening(0n);
    const id = `0x${"12".repeat(32)}`;
    const response = await channel.manage({ ...opening, channelId: id });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect((await channel.manage(await channel.opening(0n))).status).toBe(204);
  });
});

describe("a forced close", () => {
  test("behavior: what runs ends, nothing new begins, the vouchers are cashed at once (P4, P5)", async () => {
    const channel = await payer.open(provider.url, { deposit: PRICE * 60n });
    const asking = channel.chat(await channel.opening(PRICE * 10n), { stream: true });
    const call = await say();
    const response = await asking;
    await payer.send(channelWrites.requestClose(channel.channelId));
    const answer = await readAnswer(response);
    expect(answer.finish).toBe("length");
    await call.aborted;
    const refused = await codeOf(await channel.chat(await channel.voucher(PRICE * 10n)));
    expect([409, 410]).toContain(refused.status);
    await vi.waitFor(async () => {
      local.mine();
      expect(await channel.state()).toMatchObject({ status: "closed", settled: PRICE * 10n });
    }, 15_000);
  });
});

describe("an address that sends worthless credentials", () => {
  test("behavior: is slowed down; a channel that pays from there is not", async () => {
    const guarded = await startProvider({
      local,
      owner: stranger,
      offers: [{ model: "g", backend: createScriptedBackend() }],
      limits: { attemptsPerMinute: 6 },
    });
    try {
      const channel = await payer.open(guarded.url, { deposit: PRICE * 10n });
      expect((await channel.manage(await channel.opening(PRICE))).status).toBe(204);
      const forged = await channel.voucher(PRICE * 2n, { by: owner });
      const statuses: number[] = [];
      for (let index = 0; index < 8; index += 1) statuses.push((await channel.manage(forged)).status);
      expect([statuses[0], statuses.at(-1)]).toEqual([402, 429]);
      expect((await channel.pay(PRICE * 2n)).status).toBe(204);
      const other = await payer.open(guarded.url, { deposit: PRICE });
      expect((await other.manage(await other.opening(0n))).status).toBe(429);
    } finally {
      await guarded.stop();
    }
  });
});

test("behavior: a provider that lost its store goes on from what was cashed: none of that buys anything again (P5)", async () => {
  const channel = await payer.open(provider.url, { deposit: PRICE * 60n });
  // Served and cashed by the same wallet, of which nothing is left but the chain.
  const earlier = createChannelPayer(local, owner);
  const cumulativeAmount = PRICE * 10n;
  const signature = await channel.sign(cumulativeAmount);
  await earlier.send(channelWrites.settle({ terms: channel.terms, cumulativeAmount, signature, providerId: provider.providerId() }));
  const refused = await channel.chat(await channel.opening(cumulativeAmount));
  expect(await codeOf(refused)).toEqual({ status: 402, code: "voucher_needed" });
  const shown = await channel.pay(PRICE * 11n);
  expect(receiptIn(shown)).toMatchObject({ acceptedCumulative: PRICE * 11n, spent: cumulativeAmount });
  const asking = channel.chat(await channel.voucher(PRICE * 11n));
  const call = await say();
  call.finish();
  call.end();
  const { receipt } = JSON.parse(Buffer.from((await asking).headers.get("clawcompute-receipt") ?? "", "base64url").toString());
  expect(BigInt(receipt.cumulativeAmount)).toBe(cumulativeAmount + BigInt(receipt.amount));
});

test("error: what an account's code says of a voucher is not believed: it may say something else when it is cashed (P5)", async () => {
  const key = privateKeyToAccount(generatePrivateKey());
  const channel = await payer.open(provider.url, { deposit: PRICE * 60n, signer: key });
  // An account with code, as EIP-7702 gives it to any key's.
  await placeCode(local, key.address, "MockMulticall3", "mocks/MockBatchSettlement.sol");
  const opening = await channel.opening(PRICE * 30n);
  const { r, s, yParity } = parseSignature(opening.signature);
  const odd = concat([r, s, numberToHex(yParity, { size: 1 })]);
  expect(await codeOf(await channel.manage({ ...opening, signature: odd }))).toEqual({ status: 402, code: "voucher_invalid" });
  expect((await channel.manage(opening)).status).toBe(204);
});
