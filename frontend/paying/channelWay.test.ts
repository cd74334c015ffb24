import { connectChain, readOffer } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { decodePaymentReceipt, encodePaymentReceipt, paymentHeaders } from "@clawcompute/lib/protocol/payments";
import { devAccounts, type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import { createWalletClient, http, type LocalAccount } from "viem";
import { foundry } from "viem/chains";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createEchoBackend } from "../../agents/provider/backends/echo.ts";
import { startProvider, type TestProvider } from "../../agents/provider/testing/startProvider.ts";
import { keptChannel } from "./channelSession.ts";
import { sessions } from "./channelSessions.ts";
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

/** What the provider says to what only manages a channel, changed on its way. */
function changeManaging(change: (response: Response) => Response): () => void {
  const real = fetch;
  const through: typeof fetch = async (input, init) => {
    const response = await real(input, init);
    return init?.method === "POST" && init.body === undefined ? change(response) : response;
  };
  vi.stubGlobal("fetch", through);
  return () => vi.stubGlobal("fetch", real);
}

async function open() {
  const chain = connectChain(local.network);
  const wallet = createWalletClient({ account: person, chain: foundry, transport: http(local.rpcUrl) }) as never;
  const payer = { chain, wallet };
  const { payment } = await channelWay.open(payer, await readOffer(chain, provider.providerId()), 60, () => {});
  const ask = async () => {
    const signal = new AbortController().signal;
    const chat = await channelWay.ask(chain, payment, { model: "m", messages: [{ role: "user", content: "one two three" }] }, signal);
    return readAnswer(chat.events, signal, () => {});
  };
  return { payer, payment, ask };
}

test("error: at the end a provider gets no signature under more than this page measured, whatever it says it is owed (P4)", async () => {
  const { payer, payment, ask } = await open();
  await ask();
  const behave = changeManaging((response) => {
    const header = response.headers.get(paymentHeaders.receipt);
    if (header === null) return response;
    const headers = new Headers(response.headers);
    headers.set(paymentHeaders.receipt, encodePaymentReceipt({ ...decodePaymentReceipt(header), spent: PRICE * 30n }));
    return new Response(response.body, { status: response.status, headers });
  });
  const { exposure } = sessions.get(payment.id) ?? {};
  const ending = await channelWay.end(payer, payment, Number.MAX_SAFE_INTEGER).finally(behave);
  expect(exposure?.signed).toBeLessThanOrEqual((exposure?.owed() ?? 0n) + PRICE);
  expect(ending.paid).toBeLessThanOrEqual(exposure?.signed ?? 0n);
  expect(ending.paid + ending.refunded).toBe(PRICE * 60n);
});

test("behavior: what the provider claims less than measured stays so in a page that is loaded again (P4)", async () => {
  const { payer, payment, ask } = await open();
  await ask();
  const session = sessions.get(payment.id);
  const busyMs = session?.exposure.busyMs() ?? 0;
  session?.agree(busyMs, 7n);
  sessions.delete(payment.id);
  expect(keptChannel(payment.id)?.owed).toBe("7");
  expect((await ask()).failure).toBeUndefined();
  const { exposure } = sessions.get(payment.id) ?? {};
  expect(exposure?.owed()).toBeLessThanOrEqual(costDown(PRICE, (exposure?.busyMs() ?? 0) - Math.floor(busyMs)) + 7n);
  await channelWay.end(payer, payment, busyMs);
});

test("error: a deposit that the provider does not acknowledge is known to the conversation, pays for its question and comes back", async () => {
  let refused = 0;
  const behave = changeManaging((response) => {
    refused += 1;
    return refused === 1 ? Response.json({ error: { message: "no", type: "server_error", code: "BUSY" } }, { status: 503 }) : response;
  });
  const { payer, payment, ask } = await open().finally(behave);
  expect(refused).toBe(1);
  expect((await ask()).failure).toBeUndefined();
  const ending = await channelWay.end(payer, payment, Number.MAX_SAFE_INTEGER);
  expect(ending.paid + ending.refunded).toBe(PRICE * 60n);
});
