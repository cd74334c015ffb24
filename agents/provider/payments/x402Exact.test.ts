import { connectChain } from "@clawcompute/lib/chain";
import { decodePaymentPayload, decodePaymentRequired, encodeX402, type PaymentPayload } from "@clawcompute/lib/protocol/payments";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { eip3009ABI, toClientEvmSigner, x402ExactPermit2ProxyABI } from "@x402/evm";
import { ExactEvmScheme } from "@x402/evm/exact/client";
import { wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import { type Abi, type Address, decodeFunctionData, type Hash, type LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createEchoBackend } from "../backends/echo.ts";
import { readAnswer } from "../testing/payer.ts";
import { approvePermit2, isPermit2NonceUsed, placePermit2 } from "../testing/permit2.ts";
import { PRICE, startProvider, type TestProvider } from "../testing/startProvider.ts";
import { deployToken, PLAIN } from "../testing/token.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const accounts = devAccounts as readonly LocalAccount[];
const [deployer, owner, consumer, poor] = [accounts[0], accounts[1], accounts[5], accounts[6]] as [
  LocalAccount,
  LocalAccount,
  LocalAccount,
  LocalAccount,
];
const network = "eip155:31337";
const PAID = PRICE * 30n;
type Token = Awaited<ReturnType<typeof deployToken>>;
let local: LocalChain;
let provider: TestProvider;
const tokens: Token[] = [];

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 100 });
  await placePermit2(local);
  tokens.push(
    await deployToken(local, deployer, [consumer.address, poor.address]),
    await deployToken(local, deployer, [consumer.address, poor.address], PLAIN),
  );
  await approvePermit2(local, consumer, at(1).address);
  provider = await startProvider({
    local,
    owner,
    offers: ["by-eip3009", "by-permit2"].map((model, index) => ({
      model,
      backend: createEchoBackend({ kind: "echo" }),
      asset: at(index).address,
    })),
  });
});
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
});

const at = (index: number) => tokens[index] as Token;
const chat = () => `${provider.url}/v1/chat/completions`;
const ask = (model: string, headers: Record<string, string> = {}, content = "one two three"): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content }] }),
});
const bearer = (value: string) => ({ authorization: `Bearer ${value}` });
const closeOf = async (value: string) =>
  (await fetch(`${provider.url}/v1/balance/close`, { method: "POST", headers: bearer(value) })).json();
const balancesOf = (token: Token) => Promise.all([token.balanceOf(consumer.address), token.balanceOf(owner.address)]);

/** A stock client with one token to spend; `seen` gets what it signs. */
const payWith = (account: LocalAccount, token: Token, seen: (header: string) => void = () => {}, send: typeof fetch = fetch) =>
  wrapFetchWithPaymentFromConfig(
    (input, init) => {
      const request = new Request(input, init);
      const header = request.headers.get("payment-signature");
      if (header) seen(header);
      return send(request);
    },
    {
      schemes: [{ network, client: new ExactEvmScheme(toClientEvmSigner(account)) }],
      spendControls: { allowedAssets: [{ network, asset: token.address, maxAmountPerPayment: String(PAID) }] },
    },
  );

/** What a stock client signs, unsent. */
async function sign(token: Token, model: string, account = consumer): Promise<string> {
  let header = "";
  const keep: typeof fetch = async (input) => ((input as Request).headers.has("payment-signature") ? new Response("kept") : fetch(input));
  await payWith(account, token, (found) => (header = found), keep)(chat(), ask(model));
  return header;
}

/** What anybody can rebuild from the transaction of a payment. */
async function fromChain(hash: Hash, method: "eip3009" | "permit2"): Promise<PaymentPayload["payload"]> {
  const { input } = await connectChain(local.network).client.getTransaction({ hash });
  const abi = (method === "eip3009" ? eip3009ABI : x402ExactPermit2ProxyABI) as Abi;
  const { args = [] } = decodeFunctionData({ abi, data: input });
  if (method === "eip3009") {
    const [from, to, value, validAfter, validBefore, nonce] = args as [Address, Address, bigint, bigint, bigint, string];
    return { authorization: { from, to, value: String(value), validAfter: String(validAfter), validBefore: String(validBefore), nonce } };
  }
  const [permit, from] = args as [{ nonce: bigint; deadline: bigint }, Address];
  return { permit2Authorization: { from, nonce: String(permit.nonce), deadline: String(permit.deadline) } };
}

describe.each([
  { method: "eip3009", index: 0 },
  { method: "permit2", index: 1 },
] as const)("x402 `exact` by $method", ({ method, index }) => {
  const model = `by-${method}`;

  test("behavior: a stock client pays for a streamed answer, and what it paid too much comes back to the wei", async () => {
    const token = at(index);
    const { accepts } = decodePaymentRequired((await fetch(chat())).headers.get("payment-required") ?? "");
    expect(accepts.filter(({ scheme, asset }) => scheme === "exact" && asset === token.address)[0]).toMatchObject({
      amount: String(PAID),
      payTo: owner.address,
      extra: { assetTransferMethod: method, paymentFlow: "upfront" },
    });
    const [had, received] = await balancesOf(token);
    let header = "";
    const response = await payWith(consumer, token, (found) => (header = found))(chat(), ask(model));
    expect(response.status).toBe(200);
    const balance = response.headers.get("clawcompute-balance-token") ?? "";
    const settlement = JSON.parse(Buffer.from(response.headers.get("payment-response") ?? "", "base64").toString());
    expect(settlement).toMatchObject({ success: true, network, amount: String(PAID), payer: consumer.address });
    const answer = await readAnswer(response);
    expect(answer.done).toBe(true);
    expect(await balancesOf(token)).toEqual([had - PAID, received + PAID]);

    const payload = decodePaymentPayload(header);
    if (method === "permit2") {
      const { nonce } = payload.payload.permit2Authorization as { nonce: string };
      expect(await isPermit2NonceUsed(local, consumer.address, BigInt(nonce))).toBe(true);
    }
    // All of a payment is public once it is on the chain: nobody can spend what is left of it by showing it again.
    const rebuilt = encodeX402({ ...payload, payload: await fromChain(settlement.transaction, method) });
    for (const shown of [header, rebuilt]) {
      const replayed = await fetch(chat(), ask(model, { "payment-signature": shown }));
      expect([replayed.status, replayed.headers.has("clawcompute-balance-token")]).toEqual([409, false]);
      const managed = await fetch(chat(), { method: "POST", headers: { "payment-signature": shown } });
      expect([managed.status, managed.headers.has("clawcompute-balance-token")]).toEqual([409, false]);
    }
    expect(await balancesOf(token)).toEqual([had - PAID, received + PAID]);

    const closed = await closeOf(balance);
    const actual = BigInt(closed.actual);
    expect(closed).toMatchObject({ state: "closed", paid: String(PAID), refunded: String(PAID - actual), left: "0" });
    expect(actual).toBeLessThan(PAID);
    expect(await balancesOf(token)).toEqual([had - actual, received + actual]);
  });

  test("behavior: one signed payment sent four times at once pays once", async () => {
    const token = at(index);
    const header = await sign(token, model);
    const [had, received] = await balancesOf(token);
    const all = await Promise.all([0, 1, 2, 3].map(() => fetch(chat(), ask(model, { "payment-signature": header }))));
    expect(all.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
    expect(await balancesOf(token)).toEqual([had - PAID, received + PAID]);
  });

  test("behavior: only who knows the idempotency key of a payment gets its answer again", async () => {
    const token = at(index);
    const header = await sign(token, model);
    const [had, received] = await balancesOf(token);
    const shown = (key: string) => fetch(chat(), ask(model, { "payment-signature": header, "idempotency-key": key }));
    const first = await shown(`of the payer by ${method}`);
    const answer = await readAnswer(first);
    const again = await shown(`of the payer by ${method}`);
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, "true"]);
    expect((await readAnswer(again)).text).toBe(answer.text);
    const strangers = await shown("somebody else's");
    expect([strangers.status, strangers.headers.has("clawcompute-balance-token")]).toEqual([409, false]);
    const { actual } = await closeOf(first.headers.get("clawcompute-balance-token") ?? "");
    expect(await balancesOf(token)).toEqual([had - BigInt(actual), received + BigInt(actual)]);
  });

  test("behavior: a payment whose request is refused is a balance all the same", async () => {
    const token = at(index);
    const [had, received] = await balancesOf(token);
    const refused = await payWith(consumer, token)(chat(), ask("no-such-model"));
    expect([refused.status, await balancesOf(token)]).toEqual([404, [had - PAID, received + PAID]]);
    const closed = await closeOf(refused.headers.get("clawcompute-balance-token") ?? "");
    expect(closed).toMatchObject({ actual: "0", refunded: String(PAID) });
    expect(await balancesOf(token)).toEqual([had, received]);
  });

  test("error: what the payer did not sign, or cannot pay, moves nothing", async () => {
    const token = at(index);
    const before = await balancesOf(token);
    const signed = decodePaymentPayload(await sign(token, model));
    const inner = signed.payload[method === "eip3009" ? "authorization" : "permit2Authorization"] as { nonce: string };
    const key = method === "eip3009" ? "authorization" : "permit2Authorization";
    const other = method === "eip3009" ? "permit2Authorization" : "authorization";
    const tampered: readonly PaymentPayload["payload"][] = [
      { ...signed.payload, signature: `0x${"12".repeat(65)}` },
      { ...signed.payload, [key]: { ...inner, nonce: method === "eip3009" ? `0x${"ab".repeat(32)}` : "77" } },
      { ...signed.payload, [key]: { ...inner, from: poor.address } },
      // Two in one: which of them would be booked, and which sent?
      { ...signed.payload, [other]: inner },
      {},
    ];
    for (const payload of tampered) {
      const refused = await fetch(chat(), ask(model, { "payment-signature": encodeX402({ ...signed, payload }) }));
      const text = await refused.text();
      expect([refused.status, JSON.parse(text).error.code]).toEqual([402, "payment_refused"]);
      expect(text).not.toContain(new URL(local.rpcUrl).port);
    }
    expect(await balancesOf(token)).toEqual(before);
  });
});

describe("several offers", () => {
  test("behavior: a client that takes any token pays for the model that its URL names", async () => {
    const client = new ExactEvmScheme(toClientEvmSigner(consumer));
    const allowedAssets = tokens.map(({ address: asset }) => ({ network, asset, maxAmountPerPayment: String(PAID) }) as const);
    const pay = wrapFetchWithPaymentFromConfig(fetch, { schemes: [{ network, client }], spendControls: { allowedAssets } });
    for (const model of ["by-permit2", "by-eip3009"]) {
      const response = await pay(`${chat()}?model=${model}`, ask(model));
      expect([response.status, (await readAnswer(response)).done]).toEqual([200, true]);
    }
  });
});

describe("Permit2", () => {
  test("error: a wallet that has not let Permit2 move its tokens is refused, and nothing moves", async () => {
    const token = at(1);
    const before = await token.balanceOf(poor.address);
    const refused = await payWith(poor, token)(chat(), ask("by-permit2"));
    expect([refused.status, await token.balanceOf(poor.address)]).toEqual([402, before]);
  });
});
