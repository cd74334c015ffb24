// Payers that nobody here wrote, and the dashboard's own, against a whole provider on a real chain.
import { connectChain, readOffer } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { Credential, Method } from "mppx";
import { Mppx } from "mppx/client";
import { createWalletClient, http, type LocalAccount } from "viem";
import { foundry } from "viem/chains";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { findChannels, readChannelLedger } from "../../agents/gateway/channels/ownChannels.ts";
import { createEchoBackend } from "../../agents/provider/backends/echo.ts";
import { createChannelPayer } from "../../agents/provider/testing/channelPayer.ts";
import { startProvider, type TestProvider } from "../../agents/provider/testing/startProvider.ts";
import { sessionMethod } from "../../benchmarks/payments/sessionMethod.ts";
import { channelWay } from "../../frontend/paying/channelWay.ts";
import { readAnswer } from "../../frontend/paying/readAnswer.ts";

const PRICE = 10n ** 15n;
const [owner, foreigner, person] = [devAccounts[1], devAccounts[6], devAccounts[5]] as readonly LocalAccount[] as [
  LocalAccount,
  LocalAccount,
  LocalAccount,
];
let local: LocalChain;
let provider: TestProvider;

beforeAll(async () => {
  const kept = new Map<string, string>();
  // What a browser has and Node has not.
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
  local = await startLocalChain();
  provider = await startProvider({ local, owner, offers: [{ model: "m", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 20 }) }], price: PRICE });
});
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
  vi.unstubAllGlobals();
});

test("behavior: a stock mppx client, told of the method's types only, opens a channel, pays for answers and closes it", async () => {
  const channel = await createChannelPayer(local, foreigner).open(provider.url, { deposit: PRICE * 60n });
  const source = `did:pkh:eip155:31337:${foreigner.address}`;
  let shown = false;
  let signed = PRICE;
  const client = Method.toClient(sessionMethod, {
    async createCredential({ challenge }) {
      signed += PRICE / 2n;
      const payload = shown ? await channel.voucher(signed) : await channel.opening(signed);
      shown = true;
      const wire = JSON.parse(JSON.stringify(payload, (_, value) => (typeof value === "bigint" ? String(value) : value)));
      return Credential.serialize({ challenge, payload: wire, source } as never);
    },
  });
  const mppx = Mppx.create({ polyfill: false, methods: [client] });
  const body = JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "one two three" }] });
  for (let asked = 0; asked < 3; asked += 1) {
    const response = await mppx.fetch(`${provider.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    expect(response.status).toBe(200);
    const text = await response.text();
    expect([text.includes("payment-receipt"), text.includes("[DONE]")]).toEqual([true, true]);
  }
  const taken = await channel.pay(signed);
  const { spent } = JSON.parse(Buffer.from(taken.headers.get("payment-receipt") ?? "", "base64url").toString());
  expect((await channel.close(BigInt(spent))).status).toBe(204);
  const [found] = await findChannels(connectChain(local.network), foreigner.address, 0n);
  if (!found) throw new Error("no channel");
  const { deposit, paid, refunded } = await readChannelLedger(connectChain(local.network), found.id, found.openBlock);
  expect({ paid, refunded }).toEqual({ paid: BigInt(spent), refunded: deposit - BigInt(spent) });
});

test("behavior: the dashboard pays by channel with one transaction; vouchers are signed in the page, the rest comes back", async () => {
  const chain = connectChain(local.network);
  const wallet = createWalletClient({ account: person, chain: foundry, transport: http(local.rpcUrl) }) as never;
  const payer = { chain, wallet };
  const before = await chain.client.getTransactionCount({ address: person.address });
  const offer = await readOffer(chain, provider.providerId());
  const { payment } = await channelWay.open(payer, offer, 60, () => {});
  const started = performance.now();
  const signal = new AbortController().signal;
  const question = { model: "m", messages: [{ role: "user" as const, content: "one two three" }] };
  const chat = await channelWay.ask(chain, payment, question, signal);
  const { signed, bodyHash, failure } = await readAnswer(chat.events, signal, () => {});
  expect(failure).toBeUndefined();
  const measuredMs = performance.now() - started;
  const own = { measuredMs, previousServedMs: 0, previousReceiptHash: undefined };
  const { receipt } = await channelWay.verify(chain, payment, { signed, bodyHash }, own);
  expect(receipt.cumulativeAmount).toBe(costDown(PRICE, receipt.cumulativeServedMs));
  const ending = await channelWay.end(payer, payment, measuredMs);
  expect(ending).toMatchObject({ kind: "settled", paid: receipt.cumulativeAmount, refunded: PRICE * 60n - receipt.cumulativeAmount });
  expect((await chain.client.getTransactionCount({ address: person.address })) - before).toBe(1);
});
