// A gateway that pays a provider by channel: both whole, on a real chain, in this process; the money is read from the chain's events.
import { createServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { channelWrites, connectChain, createSender } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import { steadyClock } from "@clawcompute/lib/node";
import { decodeSignedReceipt } from "@clawcompute/lib/protocol";
import { paymentOfChannel } from "@clawcompute/lib/protocol/payments";
import { eq, meters, openStore, type Store } from "@clawcompute/lib/store";
import {
  createRecordingLogger,
  devAccounts,
  jointLoss,
  type LocalChain,
  recordJointFault,
  startLocalChain,
  startRpcProxy,
} from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { type FoundChannel, findChannels, readChannelLedger } from "../../agents/gateway/channels/ownChannels.ts";
import { type Ledger, noLedger, type RequestResult } from "../../agents/gateway/ledger/ledger.ts";
import { startGateway, type TestGateway } from "../../agents/gateway/testing/startGateway.ts";
import { createScriptedBackend, type ScriptedCall } from "../../agents/provider/testing/scriptedBackend.ts";
import { startProvider, type TestProvider } from "../../agents/provider/testing/startProvider.ts";

const [owner, payer] = [devAccounts[1], devAccounts[5]] as readonly LocalAccount[] as [LocalAccount, LocalAccount];
/** So that a closing is worth its gas to the provider also after a second of work. */
const PRICE = 10n ** 15n;
const STEP = PRICE;
const backend = createScriptedBackend();
let local: LocalChain;
let store: Store;
let provider: TestProvider;
let front: Front;
let gateway: TestGateway;

beforeAll(async () => {
  [local, store, front] = await Promise.all([startLocalChain(), openStore({}), startFront()]);
  provider = await startProvider({
    local,
    store,
    owner,
    offers: [{ model: "m", backend, maxConcurrency: 64 }],
    limits: { perStream: 64, queueLength: 64, withdrawEveryMs: 500 },
    endpoint: front.url,
    price: PRICE,
  });
  front.target = provider.url;
});
afterEach(async () => {
  front.behave();
  await gateway?.stop();
});
afterAll(async () => {
  await provider?.stop();
  front?.close();
  await store?.close();
  await local?.stop();
});

const start = async (overrides: Parameters<typeof startGateway>[2] = {}) => {
  gateway = await startGateway(local, payer, { spendLimits: { perRequest: 10n ** 18n }, ledger, ...overrides });
  await gateway.gateway.recovered;
};
const ask = (body: object = {}, signal?: AbortSignal) =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }], stream: true, ...body }),
    ...(signal ? { signal } : {}),
  });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const chain = () => connectChain(local.network);
const channels = (): Promise<FoundChannel[]> => findChannels(chain(), payer.address, 0n);
const newest = async (): Promise<FoundChannel> => (await channels()).at(-1) as FoundChannel;
const ledgerOf = ({ id, openBlock }: FoundChannel) => readChannelLedger(chain(), id, openBlock);
const finish = (call: ScriptedCall) => {
  call.say("end");
  call.finish();
  call.end();
};
/** What the gateway keeps of each request. */
const results: RequestResult[] = [];
const ledger: Ledger = { ...noLedger, finish: (_, result) => void results.push(result) };
const lastReceipt = () => decodeSignedReceipt(results.at(-1)?.receipt).receipt;

/** Stands before the provider, and can vanish or lie. */
interface Front {
  readonly url: string;
  target: string;
  /** As if nobody were there; what is under way breaks. */
  vanish(): void;
  /** What is sent of each piece of an answer. */
  lie(change: (piece: string) => string): void;
  behave(): void;
  readonly vouchers: number;
  close(): void;
}

async function startFront(): Promise<Front> {
  let gone = false;
  let change = (piece: string) => piece;
  let vouchers = 0;
  const server: Server = createServer((incoming, outgoing) => {
    if (gone) return void outgoing.destroy();
    if (incoming.method === "POST" && incoming.headers["content-length"] === undefined) vouchers += 1;
    const url = new URL(incoming.url ?? "/", front.target);
    const on = httpRequest(url, { method: incoming.method, headers: incoming.headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on("data", (piece: Buffer) => outgoing.write(change(piece.toString("utf8"))));
      answer.on("end", () => outgoing.end());
      answer.on("error", () => outgoing.destroy());
    });
    on.on("error", () => outgoing.destroy());
    outgoing.on("close", () => on.destroy());
    incoming.pipe(on);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    target: "",
    vanish: () => {
      gone = true;
      server.closeAllConnections();
    },
    lie: (next) => {
      change = next;
    },
    behave: () => {
      gone = false;
      change = (piece) => piece;
    },
    get vouchers() {
      return vouchers;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

describe("a channel of the gateway", () => {
  test("behavior: what was served is paid to the millisecond (P6), in one channel, and the rest comes back", async () => {
    await start();
    let owed = 0n;
    for (const ms of [1_300, 200]) {
      const answer = ask();
      const call = await backend.nextCall();
      call.say("Hello ");
      await sleep(ms);
      finish(call);
      expect(await (await answer).text()).toContain("[DONE]");
      const { cumulativeAmount, cumulativeServedMs } = lastReceipt();
      expect(cumulativeAmount).toBe(costDown(PRICE, cumulativeServedMs));
      expect(cumulativeAmount).toBeGreaterThan(owed);
      owed = cumulativeAmount;
    }
    const [open] = gateway.gateway.pool.list();
    expect(open?.cover.kind).toBe("channel");
    await gateway.gateway.pool.endOpen();
    const channel = await newest();
    const { deposit, paid, refunded, closed } = await ledgerOf(channel);
    expect({ closed, paid, refunded }).toEqual({ closed: true, paid: owed, refunded: deposit - owed });
    expect(gateway.gateway.budget.report().heldWei).toBe(0n);
  });
});

describe("many at once", () => {
  test("behavior: opened while an earlier run's channels are looked for, it is not taken for one of them", async () => {
    const line = await startRpcProxy(local.rpcUrl);
    onTestFinished(() => line.stop());
    const [asked, isOpen] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let phase: "reading the market" | "looking" | "asking" = "reading the market";
    const escrow = local.network.contracts.paymentChannel.toLowerCase();
    line.decide(async ({ method, params }) => {
      // The first look fails: what is read of the market would wait in the same batch.
      const isLook = method === "eth_getLogs" && JSON.stringify(params).toLowerCase().includes(escrow);
      if (phase === "reading the market" && isLook) return { error: { code: -32_000, message: "not yet" } };
      if (phase !== "looking" || method !== "eth_blockNumber") return "pass";
      asked.resolve();
      await isOpen.promise;
      return "pass";
    });
    const clock = { ...steadyClock, sleep: (ms: number, signal?: AbortSignal) => steadyClock.sleep(Math.min(ms, 500), signal) };
    const options = { spendLimits: { perRequest: 10n ** 18n }, ledger, clock };
    gateway = await startGateway({ ...local, network: { ...local.network, rpcUrls: [line.url] } }, payer, options);
    await fetch(`${gateway.url}/v1/models`);
    phase = "looking";
    await asked.promise;
    phase = "asking";
    const answer = ask();
    const call = await backend.nextCall();
    isOpen.resolve();
    await gateway.gateway.recovered;
    expect((await newest()).status).toBe("open");
    finish(call);
    expect(await (await answer).text()).toContain("[DONE]");
  });

  test("behavior: 16 requests share one channel, which opens once; time that overlaps is paid once", async () => {
    await start();
    const before = (await channels()).length;
    const answers = Array.from({ length: 16 }, () => ask());
    const calls = await Promise.all(answers.map(() => backend.nextCall()));
    for (const call of calls) call.say("Hello ");
    await sleep(700);
    for (const call of calls) finish(call);
    const texts = await Promise.all(answers.map(async (answer) => (await answer).text()));
    expect(texts.filter((text) => text.includes("[DONE]"))).toHaveLength(16);
    expect((await channels()).length).toBe(before + 1);
    const busyMs = gateway.gateway.pool.list()[0]?.cover.busyMs ?? 0;
    await gateway.gateway.pool.endOpen();
    const { paid } = await ledgerOf(await newest());
    expect(paid).toBeLessThanOrEqual(costDown(PRICE, busyMs));
    expect(paid).toBeGreaterThanOrEqual(costDown(PRICE, 700));
  });
});

/** What the provider's meter says of a channel. */
async function metered({ id }: FoundChannel): Promise<bigint> {
  const rows = await store.db
    .select({ servedMs: meters.servedMs })
    .from(meters)
    .where(eq(meters.streamId, paymentOfChannel(id)));
  return costDown(PRICE, rows[0]?.servedMs ?? 0);
}

function record(broken: string, loss: { providerWei: bigint; payerWei: bigint }): void {
  for (const lost of [loss.providerWei, loss.payerWei]) expect(lost).toBeLessThanOrEqual(STEP);
  recordJointFault({ broken, promise: "P4, P5", ratePerSecond: PRICE, boundMs: 1_000, ...loss });
}

describe("who loses what", () => {
  test("behavior: a provider that vanishes in an answer can take no more than a step beyond what it served (P4)", async () => {
    await start({ limits: { settleMs: 500 } });
    const answer = ask();
    const call = await backend.nextCall();
    call.say("Hello ");
    const text = (await answer).text();
    await sleep(1_200);
    front.vanish();
    expect(await text).not.toContain("[DONE]");
    const busyMs = gateway.gateway.pool.list()[0]?.cover.busyMs ?? 0;
    const channel = await newest();
    await gateway.gateway.pool.endOpen();
    // Its agent still sees the chain: at the payer's notice it takes what it holds, and everything else is back.
    await vi.waitFor(async () => expect((await ledgerOf(channel)).closed).toBe(true), { timeout: 20_000, interval: 200 });
    const { deposit, paid, refunded } = await ledgerOf(channel);
    expect(paid + refunded).toBe(deposit);
    const servedByStopwatch = costDown(PRICE, busyMs);
    record("the provider stops in the middle of an answer", jointLoss({ paid, servedByMeter: await metered(channel), servedByStopwatch }));
    await vi.waitFor(() => expect(gateway.gateway.budget.report().heldWei).toBe(0n), { timeout: 20_000 });
  });

  test("behavior: closed by force while it serves, the answer ends, and the last voucher is cashed (P4, P5, P7)", async () => {
    await start();
    const answer = ask();
    const call = await backend.nextCall();
    call.say("Hello ");
    const text = (await answer).text();
    await sleep(700);
    const channel = await newest();
    // Another program with the same wallet.
    const wallet = createSender({ chain: chain(), account: payer, logger: createRecordingLogger() });
    await wallet.send(channelWrites.requestClose(channel.id), { onSent: () => void local.mine() });
    await call.aborted;
    expect(await text).toContain('"length"');
    const busyMs = gateway.gateway.pool.list()[0]?.cover.busyMs ?? 0;
    await vi.waitFor(async () => expect((await ledgerOf(channel)).closed).toBe(true), { timeout: 20_000, interval: 200 });
    const { deposit, paid, refunded } = await ledgerOf(channel);
    expect(paid + refunded).toBe(deposit);
    const servedByStopwatch = costDown(PRICE, busyMs);
    record("the payer closes by force while it is served", jointLoss({ paid, servedByMeter: await metered(channel), servedByStopwatch }));
  });

  test("error: a provider that claims more than it served gets nothing for that claim", async () => {
    await start({ limits: { settleMs: 500 } });
    let lied = false;
    front.lie((piece) => {
      const lie = !lied && piece.includes("Hello");
      if (!lie) return piece;
      lied = true;
      const channelId = gateway.gateway.pool.list()[0]?.cover.id;
      const need = { channelId, requiredCumulative: String(PRICE * 50n), acceptedCumulative: String(STEP), deposit: String(PRICE * 60n) };
      return `event: payment-need-voucher\ndata: ${JSON.stringify(need)}\n\n${piece}`;
    });
    const before = (await channels()).length;
    const askedAt = performance.now();
    const answer = ask();
    (await backend.nextCall()).say("Hello ");
    // Before the first word somebody else may still answer: here the same one over another channel, which is not lied about.
    finish(await backend.nextCall());
    expect(await (await answer).text()).toContain("[DONE]");
    const mostMs = performance.now() - askedAt;
    expect(results.at(-1)?.attempts).toEqual([{ providerId: provider.providerId(), code: "PROVIDER_DISHONEST" }]);
    const channel = (await channels())[before] as FoundChannel;
    await vi.waitFor(async () => expect((await ledgerOf(channel)).closed).toBe(true), { timeout: 20_000, interval: 200 });
    expect((await ledgerOf(channel)).paid).toBeLessThanOrEqual(costDown(PRICE, mostMs) + STEP);
  });

  test("behavior: clients that go away leave nothing running, and what both sides measured stays within a step (P9)", async () => {
    await start();
    for (let round = 0; round < 12; round += 1) {
      const leaving = new AbortController();
      const answer = ask({}, leaving.signal).then((response) => response.text());
      const call = await backend.nextCall();
      call.say("Hello ");
      await sleep(20);
      leaving.abort();
      await expect(answer).rejects.toThrow();
      await call.aborted;
    }
    expect((await channels()).filter(({ status }) => status === "open")).toHaveLength(1);
    await vi.waitFor(() => expect(gateway.gateway.pool.list()[0]?.cover.uses).toBe(0), { timeout: 20_000 });
    const busyMs = gateway.gateway.pool.list()[0]?.cover.busyMs ?? 0;
    await gateway.gateway.pool.endOpen();
    const { closed, paid } = await ledgerOf(await newest());
    expect(closed).toBe(true);
    expect(paid).toBeLessThanOrEqual(costDown(PRICE, busyMs) + STEP);
  });
});
