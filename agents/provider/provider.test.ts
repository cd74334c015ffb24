import { createHash } from "node:crypto";
import { decodeSignedReceipt, hashReceipt, headers, verifyReceiptSignature, ZERO_HASH } from "@clawcompute/lib/protocol";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createEchoBackend } from "./backends/echo.ts";
import { createPayer, type Payer, readAnswer } from "./testing/payer.ts";
import { PRICE, startProvider, type TestProvider } from "./testing/startProvider.ts";

// Real chains and stores have to start.
vi.setConfig({ hookTimeout: 60_000, testTimeout: 30_000 });

const [, owner, signer, payerAccount] = devAccounts as readonly LocalAccount[] as [LocalAccount, LocalAccount, LocalAccount, LocalAccount];
let local: LocalChain;
let provider: TestProvider;
let payer: Payer;

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 250 });
  provider = await startProvider({
    local,
    owner,
    signer,
    offers: [{ model: "echo", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 40 }) }],
  });
  payer = createPayer(local, payerAccount);
});
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
});

const openSession = async (seconds = 60) => {
  const streamId = await payer.openStream({ recipient: owner.address, providerId: provider.providerId(), seconds });
  return { streamId, ...(await payer.session(provider.url, streamId)) };
};
const ask = { model: "echo", messages: [{ role: "user", content: "one two three four five" }] };

describe("a paid answer", () => {
  test("behavior: streamed, receipted, and settled on chain for exactly the time served", async () => {
    const { streamId, token } = await openSession();
    const answer = await readAnswer(await payer.chat(provider.url, token, { ...ask, stream: true }, { settle: true }));
    expect(answer).toMatchObject({ text: "one two three four five", finish: "stop", done: true, error: undefined });

    const signed = decodeSignedReceipt(answer.receipt);
    await verifyReceiptSignature(payer.domain, signed.receipt, signed.signature, signer.address);
    const hash = createHash("sha256");
    for (const { data, comment } of answer.events) {
      if (comment === undefined && data !== "[DONE]" && JSON.parse(data).clawcompute === undefined) hash.update(`${data}\n`);
    }
    const { receipt, settlement } = signed;
    expect(receipt).toMatchObject({
      providerId: provider.providerId(),
      model: "echo",
      reason: "stop",
      unitsOut: 5,
      bodyHash: `0x${hash.digest("hex")}`,
      previousReceiptHash: ZERO_HASH,
      servedMs: receipt.endedAtMs - receipt.startedAtMs,
      cumulativeAmount: (PRICE * BigInt(receipt.cumulativeServedMs)) / 1000n,
    });
    expect(receipt.servedMs).toBeGreaterThanOrEqual(200);
    expect(settlement).toMatchObject({ streamId, owed: receipt.cumulativeAmount });

    const refused = await payer.chat(provider.url, token, ask);
    expect([refused.status, (await refused.json()).error.code]).toEqual([409, "stream_settling"]);

    // The chain pays at most what its own clock has made due, in whole seconds.
    await local.advance(2);
    const before = { payer: await payer.balance(), owner: await payer.chain.client.getBalance({ address: owner.address }) };
    const sent = await payer.settle({ streamId, owed: receipt.cumulativeAmount, signature: settlement?.signature ?? "0x" });
    const credited = await credit(owner.address);
    const paid = (await payer.chain.client.getBalance({ address: owner.address })) - before.owner + credited;
    expect(paid).toBe(receipt.cumulativeAmount);
    expect((await payer.balance()) - before.payer + sent.feeWei).toBe(PRICE * 60n - receipt.cumulativeAmount);
  });

  test("behavior: in one piece, with the receipt in a header", async () => {
    const { token } = await openSession();
    const response = await payer.chat(provider.url, token, ask);
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({
      object: "chat.completion",
      model: "echo",
      choices: [{ index: 0, message: { role: "assistant", content: "one two three four five" }, finish_reason: "stop" }],
      usage: { completion_tokens: 5 },
    });
    const signed = decodeSignedReceipt(JSON.parse(Buffer.from(response.headers.get(headers.receipt) ?? "", "base64url").toString()));
    expect(signed.receipt.bodyHash).toBe(`0x${createHash("sha256").update(body).digest("hex")}`);
    expect(response.headers.get("x-request-id")).toBe(signed.receipt.requestId);
    const kept = await fetch(`${provider.url}/v1/receipts/${signed.receipt.requestId}`, { headers: { authorization: `Bearer ${token}` } });
    expect(decodeSignedReceipt(await kept.json())).toEqual(signed);
  });

  test("behavior: receipts of a stream follow each other, and settling says the same twice", async () => {
    const { streamId, token } = await openSession();
    const receipts = [];
    for (let count = 0; count < 2; count += 1) {
      receipts.push(
        decodeSignedReceipt((await readAnswer(await payer.chat(provider.url, token, { ...ask, stream: true }))).receipt).receipt,
      );
    }
    const [first, second] = receipts as [(typeof receipts)[0], (typeof receipts)[0]];
    expect(second.previousReceiptHash).toBe(hashReceipt(payer.domain, first));
    expect(second.cumulativeServedMs).toBe(first.servedMs + second.servedMs);
    expect(first.amount + second.amount).toBe(second.cumulativeAmount);

    const settle = async () => (await payer.post(`${provider.url}/v1/sessions/settle`, {}, { authorization: `Bearer ${token}` })).json();
    const [once, again] = [await settle(), await settle()];
    expect(again).toEqual(once);
    expect(once).toMatchObject({
      settlement: { streamId: String(streamId), owed: String(second.cumulativeAmount) },
      servedMs: second.cumulativeServedMs,
      lastReceipt: { receipt: { requestId: second.requestId } },
    });
  });

  test("behavior: usage is shown only to those who ask for it", async () => {
    const { token } = await openSession();
    const usages = async (options: object) => {
      const { events } = await readAnswer(await payer.chat(provider.url, token, { ...ask, stream: true, ...options }));
      return events.filter((event) => event.data.includes('"usage":{')).length;
    };
    expect(await usages({})).toBe(0);
    expect(await usages({ stream_options: { include_usage: true } })).toBe(1);
  });

  test("behavior: /inference answers one prompt", async () => {
    const { token } = await openSession();
    const response = await payer.post(`${provider.url}/inference`, { prompt: "a b" }, { authorization: `Bearer ${token}` });
    expect(await response.json()).toEqual({ result: "a b", model: "echo", durationMs: expect.any(Number), provider: owner.address });
    const missing = await payer.post(`${provider.url}/inference`, {}, { authorization: `Bearer ${token}` });
    expect([missing.status, (await missing.json()).error.param]).toEqual([400, "prompt"]);
  });

  test("behavior: nothing of what was asked or answered is logged", async () => {
    const { token } = await openSession();
    const canary = "zebra-4711";
    await readAnswer(await payer.chat(provider.url, token, { model: "echo", stream: true, messages: [{ role: "user", content: canary }] }));
    expect(provider.log.join("")).not.toContain(canary);
    expect(await provider.metrics.render()).not.toContain(canary);
    expect(provider.log.join("")).not.toContain(token);
  });
});

async function credit(account: `0x${string}`): Promise<bigint> {
  const { streamPayAbi } = await import("@clawcompute/lib/abi");
  return payer.chain.client.readContract({
    address: local.network.contracts.streamPay,
    abi: streamPayAbi,
    functionName: "creditOf",
    args: [account, "0x0000000000000000000000000000000000000000"],
  });
}
