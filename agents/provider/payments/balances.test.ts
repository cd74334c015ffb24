import { decodePaymentRequired } from "@clawcompute/lib/protocol/payments";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { toClientEvmSigner } from "@x402/evm";
import { ExactEvmScheme } from "@x402/evm/exact/client";
import { wrapFetchWithPaymentFromConfig } from "@x402/fetch";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createEchoBackend } from "../backends/echo.ts";
import { readAnswer } from "../testing/payer.ts";
import { PRICE, startProvider, type TestProvider } from "../testing/startProvider.ts";
import { deployToken } from "../testing/token.ts";
import { attenuate } from "./balanceToken.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

const accounts = devAccounts as readonly LocalAccount[];
const [deployer, owner, consumer] = [accounts[0], accounts[1], accounts[5]] as [LocalAccount, LocalAccount, LocalAccount];
let local: LocalChain;
let token: Awaited<ReturnType<typeof deployToken>>;
let provider: TestProvider;
let pay: typeof fetch;

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 250 });
  token = await deployToken(local, deployer, [consumer.address]);
  provider = await startProvider({
    local,
    owner,
    offers: [{ model: "m", backend: createEchoBackend({ kind: "echo" }), asset: token.address }],
    limits: {
      payments: {
        stepMs: 1_000,
        claimAbove: 1n,
        idleMs: 3_600_000,
        upfrontSeconds: 30,
        balanceIdleMs: 86_400_000,
        demoSecondsPerDay: 20,
        demoRequestsPerMinute: 5,
      },
    },
  });
  const client = new ExactEvmScheme(toClientEvmSigner(consumer));
  const network = "eip155:31337";
  pay = wrapFetchWithPaymentFromConfig(fetch, {
    schemes: [{ network, client }],
    spendControls: { allowedAssets: [{ network, asset: token.address, maxAmountPerPayment: String(PRICE * 100n) }] },
  }) as typeof fetch;
});
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
});

const ask = (body: object = {}, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "one two three" }], ...body }),
});
const withoutComments = (text: string) => text.replace(/^: .*\n\n/gm, "");
const chat = () => `${provider.url}/v1/chat/completions`;
const bearer = (value: string) => ({ authorization: `Bearer ${value}` });
const statementOf = async (value: string) => (await fetch(`${provider.url}/v1/balance`, { headers: bearer(value) })).json();

describe("a stock x402 client", () => {
  test("behavior: pays for a streamed answer; the rest is a balance, spent at real cost and returned", async () => {
    const unpaid = await fetch(chat(), ask());
    expect([unpaid.status, unpaid.headers.get("cache-control")]).toEqual([402, "no-store"]);
    const { accepts } = decodePaymentRequired(unpaid.headers.get("payment-required") ?? "");
    expect(accepts.map(({ scheme }) => scheme)).toEqual(["exact", "stream"]);

    const before = await token.balanceOf(consumer.address);
    const response = await pay(chat(), ask({ stream: true }));
    expect(response.status).toBe(200);
    expect(response.headers.has("payment-response")).toBe(true);
    const balance = response.headers.get("clawcompute-balance-token") ?? "";
    const answer = await readAnswer(response);
    expect(answer.done).toBe(true);
    expect(JSON.parse(answer.events.find(({ event }) => event === "payment-response")?.data ?? "{}").success).toBe(true);
    expect(await token.balanceOf(consumer.address)).toBe(before - PRICE * 30n);

    const again = await fetch(chat(), ask({}, bearer(balance)));
    expect([again.status, again.headers.has("clawcompute-receipt")]).toEqual([200, true]);
    const statement = await statementOf(balance);
    expect(statement).toMatchObject({ state: "open", paid: String(PRICE * 30n), refunded: "0" });
    expect(statement.answers).toHaveLength(2);
    const actual = statement.answers.reduce((sum: bigint, { actual }: { actual: string }) => sum + BigInt(actual), 0n);
    expect([BigInt(statement.actual), BigInt(statement.left)]).toEqual([actual, PRICE * 30n - actual]);

    for (const caveat of ["scope=answer", "scope=read"] as const) {
      const refused = await fetch(`${provider.url}/v1/balance/close`, { method: "POST", headers: bearer(attenuate(balance, caveat)) });
      expect(refused.status).toBe(401);
    }
    const closed = await (await fetch(`${provider.url}/v1/balance/close`, { method: "POST", headers: bearer(balance) })).json();
    expect(closed).toMatchObject({ state: "closed", refunded: String(PRICE * 30n - actual), left: "0" });
    expect(await token.balanceOf(consumer.address)).toBe(before - actual);
    const twice = await (await fetch(`${provider.url}/v1/balance/close`, { method: "POST", headers: bearer(balance) })).json();
    expect(twice.transfers.filter(({ kind }: { kind: string }) => kind === "refund")).toHaveLength(1);
    expect(await token.balanceOf(consumer.address)).toBe(before - actual);
    expect((await fetch(chat(), ask({}, bearer(balance)))).status).toBe(402);
    // Nothing more is taken for a balance that has ended.
    expect((await pay(chat(), ask({}, bearer(balance)))).status).toBe(402);
    expect(await token.balanceOf(consumer.address)).toBe(before - actual);
  });

  test("behavior: one signed payment sent twice at once pays once, and tops up what its bearer names", async () => {
    let signed = "";
    const catching = wrapFetchWithPaymentFromConfig(
      async (input, init) => {
        const request = new Request(input, init);
        signed = request.headers.get("payment-signature") ?? signed;
        return signed ? new Response("kept") : fetch(request);
      },
      {
        schemes: [{ network: "eip155:31337", client: new ExactEvmScheme(toClientEvmSigner(consumer)) }],
        spendControls: { allowedAssets: [{ network: "eip155:31337", asset: token.address, maxAmountPerPayment: String(PRICE * 100n) }] },
      },
    );
    await catching(chat(), ask());
    expect(signed).not.toBe("");
    const before = await token.balanceOf(consumer.address);
    const both = await Promise.all([0, 1].map(() => fetch(chat(), ask({}, { "payment-signature": signed }))));
    const statuses = both.map(({ status }) => status).sort();
    expect([
      [200, 200],
      [200, 409],
    ]).toContainEqual(statuses);
    expect(await token.balanceOf(consumer.address)).toBe(before - PRICE * 30n);
    const balance = both.find(({ status }) => status === 200)?.headers.get("clawcompute-balance-token") ?? "";

    const more = await pay(chat(), ask({}, bearer(balance)));
    expect(more.status).toBe(200);
    expect((await statementOf(balance)).paid).toBe(String(PRICE * (more.headers.has("payment-response") ? 60n : 30n)));
  });

  test("error: a tampered payment is refused, and nothing of the endpoint or the wallet is said", async () => {
    const payload = Buffer.from(
      JSON.stringify({
        x402Version: 2,
        accepted: decodePaymentRequired((await fetch(chat())).headers.get("payment-required") ?? "").accepts[0],
        payload: {
          authorization: {
            from: consumer.address,
            to: owner.address,
            value: String(PRICE * 30n),
            validAfter: "0",
            validBefore: "9999999999",
            nonce: `0x${"ab".repeat(32)}`,
          },
          signature: `0x${"12".repeat(65)}`,
        },
      }),
    ).toString("base64");
    const refused = await fetch(chat(), ask({}, { "payment-signature": payload }));
    const text = await refused.text();
    expect([refused.status, JSON.parse(text).error.code]).toEqual([402, "payment_refused"]);
    expect(text).not.toContain(new URL(local.rpcUrl).port);
  });
});

describe("tokens of a balance", () => {
  test("behavior: a holder can make weaker ones, nobody a stronger one", async () => {
    const balance = (await pay(chat(), ask())).headers.get("clawcompute-balance-token") ?? "";
    const asked = async (value: string) => (await fetch(chat(), ask({}, bearer(value)))).status;
    expect(await asked(attenuate(balance, "model=m"))).toBe(200);
    expect(await asked(attenuate(balance, "model=other"))).toBe(404);
    expect(await asked(attenuate(balance, "exp=1"))).toBe(401);
    expect(await asked(attenuate(balance, "max=0"))).toBe(402);
    expect(await asked(attenuate(balance, "scope=read"))).toBe(401);
    expect(await asked(attenuate(attenuate(balance, "scope=read"), "scope=answer"))).toBe(401);
    const parts = attenuate(balance, "max=0").split(".");
    expect(await asked([...parts.slice(0, 2), parts.at(-1)].join("."))).toBe(401);
    expect(await asked(`${balance}x`)).toBe(401);
  });
});

describe("idempotency keys", () => {
  test("behavior: the kept answer again, and a conflict for another body", async () => {
    const balance = (await pay(chat(), ask())).headers.get("clawcompute-balance-token") ?? "";
    for (const stream of [false, true]) {
      const headers = { ...bearer(balance), "idempotency-key": `key-${stream}` };
      const first = await fetch(chat(), ask({ stream }, headers));
      const text = withoutComments(await first.text());
      const { actual } = await statementOf(balance);
      const second = await fetch(chat(), ask({ stream }, headers));
      expect([second.status, second.headers.get("idempotency-replayed"), withoutComments(await second.text())]).toEqual([
        200,
        "true",
        text,
      ]);
      expect((await statementOf(balance)).actual).toBe(actual);
      const other = await fetch(chat(), ask({ stream, max_tokens: 5 }, headers));
      expect([other.status, (await other.json()).error.code]).toEqual([409, "idempotency_conflict"]);
    }
  });
});

describe("the demo", () => {
  test("behavior: free with the key demo, bounded for each address", async () => {
    const statuses: number[] = [];
    for (let index = 0; index < 7; index += 1) statuses.push((await fetch(chat(), ask({}, bearer("demo")))).status);
    expect(statuses.slice(0, 5)).toEqual([200, 200, 200, 200, 200]);
    expect(statuses.at(-1)).toBe(429);
  });
});
