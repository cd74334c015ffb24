import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectChain } from "@clawcompute/lib/chain";
import { decodeSignedReceipt } from "@clawcompute/lib/protocol";
import { decodePaymentPayload, decodePaymentRequired, encodeX402, type SettleResponse } from "@clawcompute/lib/protocol/payments";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { BATCH_SETTLEMENT_ADDRESS, ERC3009_DEPOSIT_COLLECTOR_ADDRESS, toClientEvmSigner } from "@x402/evm";
import { BatchSettlementEvmScheme } from "@x402/evm/batch-settlement/client";
import { wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import { concat, createWalletClient, type Hex, http, type LocalAccount, numberToHex, parseAbi, parseSignature } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { serializeErc6492Signature } from "viem/utils";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createEchoBackend } from "../backends/echo.ts";
import { readAnswer } from "../testing/payer.ts";
import { placeCode } from "../testing/permit2.ts";
import { PRICE, startProvider, type TestProvider, testLimits } from "../testing/startProvider.ts";
import { deployToken } from "../testing/token.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const accounts = devAccounts as readonly LocalAccount[];
const [deployer, owner, consumer] = [accounts[0], accounts[1], accounts[5]] as [LocalAccount, LocalAccount, LocalAccount];
const network = "eip155:31337";
/** Of one payment: far more than any answer here takes. */
const SECONDS = 600;
const AMOUNT = PRICE * BigInt(SECONDS);
const payments = { ...testLimits.payments, upfrontSeconds: SECONDS, balanceIdleMs: 1_000 };
const MISMATCH = "invalid_batch_settlement_evm_cumulative_amount_mismatch";
let local: LocalChain;
let provider: TestProvider;
let token: Awaited<ReturnType<typeof deployToken>>;
let salts = 0;
/** Of the curve's group. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 100 });
  token = await deployToken(local, deployer, [consumer.address]);
  await placeCode(local, BATCH_SETTLEMENT_ADDRESS, "MockBatchSettlement");
  await placeCode(local, ERC3009_DEPOSIT_COLLECTOR_ADDRESS, "MockErc3009Collector", "mocks/MockBatchSettlement.sol");
  await placeCode(local, "0xcA11bde05977b3631167028862bE2a173976CA11", "MockMulticall3", "mocks/MockBatchSettlement.sol");
  provider = await startProvider({
    local,
    owner,
    offers: [{ model: "m", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 20 }), asset: token.address, maxConcurrency: 16 }],
    limits: { perStream: 16, payments },
  });
});
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
});

const chat = () => `${provider.url}/v1/chat/completions`;
const ask = (headers: Record<string, string> = {}, body: object = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "one two three" }], ...body }),
});
/** Of the payer, the provider, and the escrow. */
const balancesOf = () =>
  Promise.all([token.balanceOf(consumer.address), token.balanceOf(owner.address), token.balanceOf(BATCH_SETTLEMENT_ADDRESS)]);
const responseOf = (response: Response): SettleResponse & { extra: { chargedAmount: string; channelState: Record<string, string> } } =>
  JSON.parse(Buffer.from(response.headers.get("payment-response") ?? "", "base64").toString());

/** A stock client with a channel of its own, whose vouchers are signed by a key that holds nothing. */
function payer() {
  const { client: reads } = connectChain(local.network);
  const sent: string[] = [];
  salts += 1;
  const client = new BatchSettlementEvmScheme(toClientEvmSigner(consumer, reads as never), {
    voucherSigner: toClientEvmSigner(privateKeyToAccount(generatePrivateKey())),
    salt: numberToHex(salts, { size: 32 }),
  });
  const pay = wrapFetchWithPaymentFromConfig(
    (input, init) => {
      const request = new Request(input, init);
      const header = request.headers.get("payment-signature");
      if (header) sent.push(header);
      return fetch(request);
    },
    {
      schemes: [{ network, client }],
      spendControls: { allowedAssets: [{ network, asset: token.address, maxAmountPerPayment: String(AMOUNT) }] },
    },
  );
  const typeOf = (header: string) => (decodePaymentPayload(header).payload as { type: string }).type;
  return { client, pay, sent, types: () => sent.map(typeOf) };
}

async function served(response: Response): Promise<bigint> {
  expect(response.status).toBe(200);
  const { done, receipt } = await readAnswer(response);
  expect(done).toBe(true);
  return decodeSignedReceipt(receipt).receipt.cumulativeAmount;
}

describe("the x402 scheme `batch-settlement`", () => {
  test("behavior: a stock client deposits once, pays for streamed answers by vouchers, and gets back what it did not use, to the wei", async () => {
    const { accepts } = decodePaymentRequired((await fetch(chat())).headers.get("payment-required") ?? "");
    expect(accepts.map(({ scheme }) => scheme)).toEqual(["batch-settlement", "exact", "stream"]);
    const [had, received, held] = await balancesOf();
    const { client, pay, types } = payer();
    const first = await pay(chat(), ask());
    const deposited = BigInt(responseOf(first).extra.channelState.balance ?? 0);
    expect(responseOf(first)).toMatchObject({ success: true, extra: { chargedAmount: "0" } });
    let spent = await served(first);
    expect(deposited).toBeGreaterThanOrEqual(AMOUNT * 4n);
    expect(await balancesOf()).toEqual([had - deposited, received, held + deposited]);
    for (let more = 0; more < 4; more += 1) {
      const next = await pay(chat(), ask());
      // What the answers before it cost is known by now.
      expect(responseOf(next).extra.channelState.chargedCumulativeAmount).toBe(String(spent));
      spent = await served(next);
    }
    expect(types()).toEqual(["deposit", "voucher", "voucher", "voucher", "voucher"]);
    expect(await balancesOf()).toEqual([had - deposited, received, held + deposited]);

    const ended = await client.refund(chat());
    expect(ended).toMatchObject({ success: true, amount: String(deposited - spent) });
    expect(await balancesOf()).toEqual([had - spent, received + spent, held]);
    expect(spent).toBeLessThan(AMOUNT * 5n);

    // The same channel again: what was claimed before is not spent twice.
    const again = await pay(chat(), ask());
    const anew = await served(again);
    const fresh = BigInt(responseOf(again).extra.channelState.balance ?? 0) - spent;
    expect(await balancesOf()).toEqual([had - spent - fresh, received + spent, held + fresh]);
    await client.refund(chat());
    expect(await balancesOf()).toEqual([had - spent - anew, received + spent + anew, held]);
  });

  test("behavior: eight answers at once on one channel are paid by the time that they took together", async () => {
    const [had, received, held] = await balancesOf();
    const { client, pay, types } = payer();
    const before = await served(await pay(chat(), ask()));
    const startedAt = performance.now();
    const answers = await Promise.all(Array.from({ length: 8 }, async () => served(await pay(chat(), ask()))));
    const tookMs = BigInt(Math.ceil(performance.now() - startedAt));
    const spent = answers.reduce((most, each) => (each > most ? each : most), 0n);
    expect(spent - before).toBeLessThanOrEqual((PRICE * tookMs) / 1_000n);
    expect(types().filter((type) => type === "deposit")).toHaveLength(1);
    await client.refund(chat());
    expect(await balancesOf()).toEqual([had - spent, received + spent, held]);
  });

  test("error: a voucher of another key, above the deposit or tampered with is refused; an old one spends nothing new", async () => {
    const { client, pay, sent } = payer();
    await served(await pay(chat(), ask()));
    await served(await pay(chat(), ask()));
    const payload = decodePaymentPayload(sent[1] as string);
    const raw = payload.payload as { voucher: { maxClaimableAmount: string; signature: Hex } };
    const shown = async (change: object) => {
      const changed = { ...payload, payload: { ...payload.payload, voucher: { ...raw.voucher, ...change } } };
      const refused = await fetch(chat(), ask({ "payment-signature": encodeX402(changed) }));
      return [refused.status, decodePaymentRequired(refused.headers.get("payment-required") ?? "").error];
    };
    const wrong = [402, "invalid_batch_settlement_evm_voucher_signature"];
    expect(await shown({ signature: `0x${"12".repeat(65)}` })).toEqual(wrong);
    // The same key's signature in forms that no escrow takes: what it pays for could never be cashed.
    const { r, s, yParity } = parseSignature(raw.voucher.signature);
    const high = numberToHex(ORDER - BigInt(s), { size: 32 });
    expect(await shown({ signature: concat([r, s, numberToHex(yParity, { size: 1 })]) })).toEqual(wrong);
    expect(await shown({ signature: concat([r, high, numberToHex(28 - yParity, { size: 1 })]) })).toEqual(wrong);
    expect(
      await shown({ signature: serializeErc6492Signature({ address: token.address, data: "0x12", signature: raw.voucher.signature }) }),
    ).toEqual(wrong);
    expect(await shown({ maxClaimableAmount: String(AMOUNT * 100n) })).toEqual(wrong);
    expect(await shown({ channelId: numberToHex(7, { size: 32 }) })).toEqual([402, "invalid_batch_settlement_evm_channel_id_mismatch"]);
    // All vouchers together are worth the highest one.
    const [had, received, held] = await balancesOf();
    const replayed = await fetch(chat(), ask({ "payment-signature": sent[1] as string }));
    const spent = await served(replayed);
    expect(spent).toBeLessThanOrEqual(BigInt(raw.voucher.maxClaimableAmount));
    const deposited = held;
    await client.refund(chat());
    expect(await balancesOf()).toEqual([had + deposited - spent, received + spent, 0n]);
  });

  test("behavior: a client whose books differ is told where the channel stands, and pays on", async () => {
    const { client, pay, sent } = payer();
    await served(await pay(chat(), ask()));
    // Only a voucher for exactly what was spent ends a channel; others are no secret.
    const probe = decodePaymentPayload(sent[0] as string);
    const { channelConfig, voucher } = probe.payload as { channelConfig: object; voucher: object };
    const ending = encodeX402({ ...probe, payload: { type: "refund", channelConfig, voucher } });
    const refused = await fetch(chat(), { headers: { "payment-signature": ending } });
    const { error, accepts } = decodePaymentRequired(refused.headers.get("payment-required") ?? "");
    expect([refused.status, error, accepts[0]?.scheme]).toEqual([402, MISMATCH, "batch-settlement"]);
    expect(accepts[0]?.extra.voucherState).toMatchObject({ signedMaxClaimable: String(AMOUNT) });
    expect(await client.refund(chat())).toMatchObject({ success: true });
  });

  test("behavior: a payer who leaves by itself pays what it spent, and is served no more; its old vouchers are worth nothing when it comes back", async () => {
    const [had, received, held] = await balancesOf();
    const { client, pay, sent } = payer();
    const spent = await served(await pay(chat(), ask()));
    const payload = decodePaymentPayload(sent[0] as string);
    const { channelConfig, voucher } = payload.payload as { channelConfig: Record<string, unknown>; voucher: object };
    const { client: reads } = connectChain(local.network);
    const hash = await createWalletClient({ account: consumer, transport: http(local.rpcUrl) }).writeContract({
      chain: null,
      address: BATCH_SETTLEMENT_ADDRESS,
      abi: parseAbi([
        "struct ChannelConfig { address payer; address payerAuthorizer; address receiver; address receiverAuthorizer; address token; uint40 withdrawDelay; bytes32 salt; }",
        "function initiateWithdraw(ChannelConfig config, uint128 amount)",
      ]),
      functionName: "initiateWithdraw",
      args: [channelConfig as never, AMOUNT],
    });
    await reads.waitForTransactionReceipt({ hash, pollingInterval: 50 });
    expect((await pay(chat(), ask())).status).toBe(402);
    // The provider looks at its channels now and then.
    const settled = [had - spent, received + spent, held];
    await vi.waitFor(async () => expect(await balancesOf()).toEqual(settled), { timeout: 50_000, interval: 100 });

    // The client believes in its old deposit; it is set right, deposits anew and is served.
    const anew = await served(await pay(chat(), ask()));
    const replayed = encodeX402({ ...payload, payload: { type: "voucher", channelConfig, voucher } });
    expect((await fetch(chat(), ask({ "payment-signature": replayed }))).status).toBe(402);
    await client.refund(chat());
    expect(await balancesOf()).toEqual([had - spent - anew, received + spent + anew, held]);
  });

  test("behavior: vouchers are cashed while a channel goes on; one that anybody can read on the chain is worth nothing then", async () => {
    const owner = accounts[3] as LocalAccount;
    const offers = [{ model: "m", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 20 }), asset: token.address }];
    const cashing = await startProvider({ local, owner, offers, limits: { payments: { ...payments, escrowClaimSeconds: 0 } } });
    try {
      const url = `${cashing.url}/v1/chat/completions`;
      const { client, pay, sent } = payer();
      const first = await served(await pay(url, ask()));
      await vi.waitFor(async () => expect(await token.balanceOf(owner.address)).toBe(first), { timeout: 20_000, interval: 100 });
      const payload = decodePaymentPayload(sent[0] as string);
      const { channelConfig, voucher } = payload.payload;
      const shown = async (type: string, voucher: unknown) => {
        const header = encodeX402({ ...payload, payload: { type, channelConfig, voucher } });
        const refused = await fetch(
          url,
          type === "refund" ? { headers: { "payment-signature": header } } : ask({ "payment-signature": header }),
        );
        const { error, accepts } = decodePaymentRequired(refused.headers.get("payment-required") ?? "");
        expect([refused.status, error]).toEqual([402, MISMATCH]);
        return accepts[0]?.extra.voucherState as { signedMaxClaimable: string; signature: Hex };
      };
      for (const type of ["voucher", "refund"]) {
        // What the refusal tells for the payer's sake is worth nothing either.
        const { signedMaxClaimable: maxClaimableAmount, signature } = await shown(type, voucher);
        await shown("voucher", { ...(voucher as object), maxClaimableAmount, signature });
      }
      const second = await served(await pay(url, ask()));
      await vi.waitFor(async () => expect(await token.balanceOf(owner.address)).toBe(second), { timeout: 20_000, interval: 100 });
      expect(second).toBeGreaterThan(first);
      await client.refund(url);
      expect(await token.balanceOf(owner.address)).toBe(second);
    } finally {
      await cashing.stop();
    }
  });

  test("behavior: what nobody uses is settled, and the rest returned without being asked for", async () => {
    const folder = await mkdtemp(join(tmpdir(), "x402-batch-"));
    const owner = accounts[2] as LocalAccount;
    const offers = [{ model: "m", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 20 }), asset: token.address }];
    const had = await token.balanceOf(consumer.address);
    const held = await token.balanceOf(BATCH_SETTLEMENT_ADDRESS);
    // The money is not lost when the provider goes before it has cashed: the next start finds the channel in the store.
    const first = await startProvider({ local, owner, offers, folder, limits: { payments } });
    const { pay } = payer();
    const spent = await served(await pay(`${first.url}/v1/chat/completions`, ask()));
    await first.stop();
    expect(await token.balanceOf(owner.address)).toBe(0n);
    const second = await startProvider({ local, owner, offers, folder, limits: { payments: { ...payments, idleMs: 1_000 } } });
    try {
      const now = () => Promise.all([consumer.address, owner.address, BATCH_SETTLEMENT_ADDRESS].map((holder) => token.balanceOf(holder)));
      await vi.waitFor(async () => expect(await now()).toEqual([had - spent, spent, held]), { timeout: 50_000, interval: 100 });
    } finally {
      await second.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
