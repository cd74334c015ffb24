import { connectChain, readOffer } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { createWalletClient, http, type LocalAccount } from "viem";
import { foundry } from "viem/chains";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createEchoBackend } from "../../agents/provider/backends/echo.ts";
import { startProvider, type TestProvider } from "../../agents/provider/testing/startProvider.ts";
import { channelWay } from "./channelWay.ts";
import { readAnswer } from "./readAnswer.ts";

const PRICE = 10n ** 15n;
const [owner, person] = [devAccounts[1], devAccounts[5]] as readonly LocalAccount[] as [LocalAccount, LocalAccount];
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
  const offers = [{ model: "m", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 20 }) }];
  provider = await startProvider({ local, owner, offers, price: PRICE });
});
afterAll(async () => {
  await provider?.stop();
  await local?.stop();
  vi.unstubAllGlobals();
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
