import { AppError } from "@clawcompute/lib/errors";
import { decodeSignedReceipt, type SignedReceipt, type SseEvent } from "@clawcompute/lib/protocol";
import { devAccounts, type LocalChain, lossAt, recordFault, startLocalChain } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createPayer, eventsOf, type Payer, readAnswer, summarize } from "./testing/payer.ts";
import { createScriptedBackend, type ScriptedBackend } from "./testing/scriptedBackend.ts";
import { PRICE, startProvider, type TestProvider } from "./testing/startProvider.ts";

// Real chains and stores have to start.
vi.setConfig({ hookTimeout: 60_000, testTimeout: 30_000 });

const accounts = devAccounts as readonly LocalAccount[];
const account = (index: number) => accounts[index] as LocalAccount;
let local: LocalChain;
let payer: Payer;
let engine: ScriptedBackend;
let provider: TestProvider;
let hasty: { engine: ScriptedBackend; provider: TestProvider };

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 250 });
  engine = createScriptedBackend();
  const impatient = createScriptedBackend();
  payer = createPayer(local, account(3));
  provider = await startProvider({ local, owner: account(1), offers: [{ model: "m", backend: engine }] });
  const limits = { firstTokenMs: 300, stallMs: 300, queueMs: 200, queueLength: 1 };
  const offers = [{ model: "m", backend: impatient, maxConcurrency: 1 }];
  hasty = { engine: impatient, provider: await startProvider({ local, owner: account(2), limits, offers }) };
});
afterAll(async () => {
  await hasty?.provider.stop();
  await provider?.stop();
  await local?.stop();
});

async function openSession(at: TestProvider = provider, index = 1, seconds = 60) {
  const streamId = await payer.openStream({ recipient: account(index).address, providerId: at.providerId(), seconds });
  return { streamId, ...(await payer.session(at.url, streamId)) };
}
const live = { model: "m", stream: true };

async function receiptOf(at: TestProvider, token: string, requestId: string | null): Promise<SignedReceipt> {
  const response = await fetch(`${at.url}/v1/receipts/${requestId}`, { headers: { authorization: `Bearer ${token}` } });
  return decodeSignedReceipt(await response.json());
}

/** Reads up to and with the first event that says something. */
async function untilText(events: AsyncGenerator<SseEvent>, text: string): Promise<SseEvent[]> {
  const seen: SseEvent[] = [];
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error(`the answer ended before "${text}"`);
    seen.push(value);
    if (value.data.includes(text)) return seen;
  }
}

/** An answer whose first word has arrived. */
async function begin(at: { engine: ScriptedBackend; provider: TestProvider }, token: string, text: string, signal?: AbortSignal) {
  const asked = payer.chat(at.provider.url, token, live, signal ? { signal } : {});
  const call = await at.engine.nextCall();
  call.say(text);
  const response = await asked;
  const events = eventsOf(response);
  return { call, response, events, seen: await untilText(events, text) };
}

describe("money goes", () => {
  test("behavior: a cancel in the middle of an answer stops the engine within a second of its block", async () => {
    const { streamId, token } = await openSession();
    const { call, events, seen } = await begin({ engine, provider }, token, "once upon");
    await payer.cancel(streamId);
    const minedAt = performance.now();
    await call.aborted;
    const lostMs = performance.now() - minedAt;
    expect(lostMs).toBeLessThan(1_500);
    recordFault({ broken: "payer cancels in the middle of an answer", promise: "P5", ...lossAt(PRICE, lostMs, 1_500) });
    for await (const event of events) seen.push(event);
    const answer = summarize(seen);
    expect(answer).toMatchObject({ text: "once upon", finish: "length", done: true });
    expect(decodeSignedReceipt(answer.receipt).receipt.reason).toBe("cancelled");
    const refused = await payer.chat(provider.url, token, live);
    expect([refused.status, (await refused.json()).error.code]).toEqual([402, "stream_ended"]);
  });

  test("behavior: a stream that runs dry ends its answer as cut, by the chain's clock", async () => {
    const { token } = await openSession(provider, 1, 6);
    const { call, events, seen } = await begin({ engine, provider }, token, "for ever");
    await local.advance(30);
    await call.aborted;
    for await (const event of events) seen.push(event);
    const answer = summarize(seen);
    expect(answer).toMatchObject({ text: "for ever", finish: "length", done: true });
    expect(decodeSignedReceipt(answer.receipt).receipt.reason).toBe("runway");
    expect(seen.some(({ comment }) => comment?.startsWith("runway"))).toBe(true);
    const unpaidMs = Math.max(0, decodeSignedReceipt(answer.receipt).receipt.servedMs - 6_000);
    expect(unpaidMs).toBe(0);
    recordFault({ broken: "the deposit runs dry in the middle of an answer", promise: "P5, P7", ...lossAt(PRICE, unpaidMs, 1_000) });
  });

  test("behavior: in one piece, a cut answer says length too", async () => {
    const { streamId, token } = await openSession();
    const asked = payer.chat(provider.url, token, { model: "m" });
    const call = await engine.nextCall();
    call.say("half");
    await payer.cancel(streamId);
    const response = await asked;
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: "half" }, finish_reason: "length" }] });
  });
});

describe("the engine fails", () => {
  const failed = new AppError("UPSTREAM_FAILED", "The engine is gone.");

  test.each([
    ["dies", (fail: (error: unknown) => void) => fail(failed), "The engine is gone."],
    ["breaks off", (_: unknown, end: () => void) => end(), "The model broke off"],
  ])("behavior: an engine that %s in the middle ends the stream with an error event and no [DONE]", async (_, break_, message) => {
    const { token } = await openSession();
    const { call, response, events, seen } = await begin({ engine, provider }, token, "half an");
    break_(call.fail, call.end);
    for await (const event of events) seen.push(event);
    const answer = summarize(seen);
    expect(answer).toMatchObject({ text: "half an", finish: undefined, done: false, receipt: undefined });
    expect(answer.error).toMatchObject({ code: "upstream_failed", message: expect.stringContaining(message) });
    const { receipt } = await receiptOf(provider, token, response.headers.get("x-request-id"));
    expect(receipt.reason).toBe("upstream_error");
    const overchargedMs = Math.max(0, receipt.servedMs - (receipt.endedAtMs - receipt.startedAtMs));
    expect(overchargedMs).toBe(0);
    recordFault({ broken: `the engine ${_} in the middle`, promise: "P7", ...lossAt(PRICE, overchargedMs, 0) });
  });

  test("error: before the first word it is a plain 502, and nothing is charged", async () => {
    const { token } = await openSession();
    for (const stream of [true, false]) {
      const asked = payer.chat(provider.url, token, { model: "m", stream });
      const call = await engine.nextCall();
      if (!stream) call.say("never seen");
      call.fail(failed);
      const response = await asked;
      expect([response.status, (await response.json()).error.code]).toEqual([502, "upstream_failed"]);
    }
    const settled = await (await payer.post(`${provider.url}/v1/sessions/settle`, {}, { authorization: `Bearer ${token}` })).json();
    expect(settled).toMatchObject({ servedMs: 0, settlement: { owed: "0" } });
    recordFault({ broken: "the engine dies before its first word", promise: "P7", ...lossAt(PRICE, settled.servedMs, 0) });
  });

  test("error: the engine's refusal is the request's fault and says so", async () => {
    const { token } = await openSession();
    const asked = payer.chat(provider.url, token, live);
    (await engine.nextCall()).fail(new AppError("UPSTREAM_REFUSED", "temperature must be below 2", { param: "temperature" }));
    const response = await asked;
    expect([response.status, (await response.json()).error]).toMatchObject([400, { code: "upstream_refused", param: "temperature" }]);
  });

  test("error: a silent engine is given up at the first-token deadline", async () => {
    const { token } = await openSession(hasty.provider, 2);
    const asked = payer.chat(hasty.provider.url, token, live);
    const call = await hasty.engine.nextCall();
    call.role();
    await call.aborted;
    const answer = await readAnswer(await asked);
    expect(answer).toMatchObject({ done: false, error: { code: "upstream_timeout" } });
    const settled = await (await payer.post(`${hasty.provider.url}/v1/sessions/settle`, {}, { authorization: `Bearer ${token}` })).json();
    expect(settled).toMatchObject({ servedMs: 0, settlement: { owed: "0" } });
    recordFault({ broken: "the engine never says a word", promise: "P3", ...lossAt(PRICE, settled.servedMs, 0) });
  });

  test("error: a stall in the middle is given up too, and its silence is not charged", async () => {
    const { token } = await openSession(hasty.provider, 2);
    const { response, events, seen } = await begin(hasty, token, "wait");
    for await (const event of events) seen.push(event);
    const answer = summarize(seen);
    expect(answer).toMatchObject({ text: "wait", done: false, error: { code: "upstream_timeout" } });
    const { receipt } = await receiptOf(hasty.provider, token, response.headers.get("x-request-id"));
    expect(receipt.endedAtMs - receipt.firstTokenAtMs).toBeGreaterThanOrEqual(300);
    expect(receipt.servedMs).toBeLessThan(300);
    recordFault({ broken: "the engine falls silent in the middle", promise: "P3, P7", ...lossAt(PRICE, receipt.servedMs, 300) });
  });
});

describe("the caller goes", () => {
  test("behavior: the engine stops and so does the meter (P9)", async () => {
    const { token } = await openSession();
    const leaving = new AbortController();
    const { call } = await begin({ engine, provider }, token, "are you there", leaving.signal);
    leaving.abort();
    const leftAt = performance.now();
    await call.aborted;
    const lostMs = performance.now() - leftAt;
    expect(lostMs).toBeLessThan(1_000);
    recordFault({ broken: "the caller goes in the middle of an answer", promise: "P9", ...lossAt(PRICE, lostMs, 1_000) });
    const settled = await (await payer.post(`${provider.url}/v1/sessions/settle`, {}, { authorization: `Bearer ${token}` })).json();
    expect(settled.lastReceipt.receipt.reason).toBe("client_gone");
    expect(settled.servedMs).toBe(settled.lastReceipt.receipt.endedAtMs - settled.lastReceipt.receipt.startedAtMs);
    expect(await provider.metrics.render()).toMatch(/stop_seconds_count\{reason="client_gone"\} 1/);
  });

  test("behavior: a hundred callers go: 99 of them are noticed within a second (P9)", async () => {
    const bounds = [5, 10, 25, 50, 100, 250, 500, 1_000];
    const { token } = await openSession(provider, 1, 600);
    const delays: number[] = [];
    const leave = async () => {
      const leaving = new AbortController();
      const asked = payer.chat(provider.url, token, live, { signal: leaving.signal });
      const call = await engine.nextCall();
      call.say("are you there");
      await (await asked).body?.getReader().read();
      leaving.abort();
      return { call, leftAt: performance.now() };
    };
    for (let round = 0; round < 100; round += 1) {
      const { call, leftAt } = await leave();
      await call.aborted;
      delays.push(performance.now() - leftAt);
    }
    delays.sort((a, b) => a - b);
    const p99 = delays[98] as number;
    expect(p99).toBeLessThan(1_000);
    // The operator's own histogram says the same.
    const inSecond = /stop_seconds_bucket\{le="1",reason="client_gone"\} (\d+)/.exec(await provider.metrics.render())?.[1];
    expect(Number(inSecond)).toBeGreaterThanOrEqual(99);
    const shown = bounds.map((bound) => `${delays.filter((delay) => delay <= bound).length} in ${bound}`).join(", ");
    recordFault({ broken: `a hundred callers go (ms: ${shown}); p99`, promise: "P9", ...lossAt(PRICE, p99, 1_000) });
  });

  test("behavior: before the first word as well, and what was worked for it is owed", async () => {
    const { token } = await openSession();
    const leaving = new AbortController();
    const asked = payer.chat(provider.url, token, { model: "m" }, { signal: leaving.signal });
    const call = await engine.nextCall();
    leaving.abort();
    await expect(asked).rejects.toThrow();
    await call.aborted;
    const settled = await (await payer.post(`${provider.url}/v1/sessions/settle`, {}, { authorization: `Bearer ${token}` })).json();
    expect(settled.lastReceipt.receipt).toMatchObject({ reason: "client_gone", firstTokenAtMs: 0 });
  });
});

describe("several answers on one stream", () => {
  test("behavior: overlapping time counts once, and the receipts add up to it", async () => {
    const { token } = await openSession();
    const [one, two] = [payer.chat(provider.url, token, live), payer.chat(provider.url, token, live)];
    const calls = [await engine.nextCall(), await engine.nextCall()];
    for (const call of calls) {
      call.say("x");
      call.finish();
    }
    const [first, second] = calls as [(typeof calls)[0], (typeof calls)[0]];
    first.end();
    // Whichever request reached the engine first is done first; the other one is still under way.
    const answers = [readAnswer(await one), readAnswer(await two)];
    await Promise.race(answers);
    second.end();
    const receipts = (await Promise.all(answers)).map((answer) => decodeSignedReceipt(answer.receipt).receipt);
    const [early, late] = receipts.sort((a, b) => a.cumulativeServedMs - b.cumulativeServedMs) as [
      (typeof receipts)[0],
      (typeof receipts)[0],
    ];
    const union = Math.max(early.endedAtMs, late.endedAtMs) - Math.min(early.startedAtMs, late.startedAtMs);
    expect(late.cumulativeServedMs).toBe(union);
    expect(early.servedMs + late.servedMs).toBe(union);
    recordFault({
      broken: "answers of one stream overlap",
      promise: "P6",
      ...lossAt(PRICE, Math.abs(early.servedMs + late.servedMs - union), 0),
    });
    for (const receipt of receipts) expect(receipt.servedMs).toBeLessThanOrEqual(receipt.endedAtMs - receipt.startedAtMs);
  });

  test("behavior: the answer that settles ends the others first, and nothing comes after it", async () => {
    const { token } = await openSession();
    const { call: otherCall, events, seen } = await begin({ engine, provider }, token, "meanwhile");
    const last = payer.chat(provider.url, token, live, { settle: true });
    const lastCall = await engine.nextCall();
    const refused = await payer.chat(provider.url, token, live);
    expect([refused.status, (await refused.json()).error.code]).toEqual([409, "stream_settling"]);
    lastCall.say("end");
    lastCall.finish();
    lastCall.end();
    await otherCall.aborted;
    for await (const event of events) seen.push(event);
    const cut = decodeSignedReceipt(summarize(seen).receipt).receipt;
    const { receipt, settlement } = decodeSignedReceipt((await readAnswer(await last)).receipt);
    expect(cut.reason).toBe("cancelled");
    expect(receipt.previousReceiptHash).not.toBe(cut.previousReceiptHash);
    expect(settlement?.owed).toBe(receipt.cumulativeAmount);
    expect(receipt.cumulativeAmount).toBe((PRICE * BigInt(cut.servedMs + receipt.servedMs)) / 1000n);
  });

  test("error: more than there is room for is sent away with a time to come back", async () => {
    const sessions = [await openSession(hasty.provider, 2), await openSession(hasty.provider, 2), await openSession(hasty.provider, 2)];
    const [running, waiting, away] = sessions.map(({ token }) => payer.chat(hasty.provider.url, token, live));
    const call = await hasty.engine.nextCall();
    const refusals = await Promise.race([Promise.all([away]), Promise.all([waiting]), Promise.all([running])]);
    expect(refusals[0]?.status).toBe(429);
    expect(Number(refusals[0]?.headers.get("retry-after"))).toBeGreaterThan(0);
    call.say("x");
    call.finish();
    call.end();
    const statuses = await Promise.all([running, waiting, away].map(async (answer) => (await answer)?.status));
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(1);
    for (const answer of [running, waiting, away]) await (await answer)?.body?.cancel();
  });
});

describe("the price", () => {
  test("behavior: rises in the middle of an answer: the stream pays what it was opened for (P11)", async () => {
    const backend = createScriptedBackend();
    const dearer = await startProvider({ local, owner: account(5), offers: [{ model: "m", backend }] });
    try {
      const { token } = await openSession(dearer, 5);
      const { call, events, seen } = await begin({ engine: backend, provider: dearer }, token, "how much");
      const { terms } = dearer.provider.offers[0] as (typeof dearer.provider.offers)[0];
      await dearer.provider.setPrices([{ ...terms, pricePerSecond: PRICE * 10n }], new AbortController().signal);
      call.finish();
      call.end();
      for await (const event of events) seen.push(event);
      const { receipt } = decodeSignedReceipt(summarize(seen).receipt);
      expect(receipt.amount).toBe((PRICE * BigInt(receipt.servedMs)) / 1000n);
      const overMs = Number((receipt.amount * 1000n) / PRICE) - receipt.servedMs;
      recordFault({
        broken: "the price rises tenfold in the middle of an answer",
        promise: "P11",
        ...lossAt(PRICE, Math.max(0, overMs), 0),
      });
    } finally {
      await dearer.stop();
    }
  });
});

describe("drain", () => {
  test("behavior: what runs is finished, what comes is refused", async () => {
    const backend = createScriptedBackend();
    const leaving = await startProvider({ local, owner: account(4), offers: [{ model: "m", backend }] });
    const { token } = await openSession(leaving, 4);
    const { call, events, seen } = await begin({ engine: backend, provider: leaving }, token, "almost");
    const stopped = leaving.stop();
    const refused = await payer.chat(leaving.url, token, live);
    expect([refused.status, (await refused.json()).error.code]).toEqual([503, "draining"]);
    call.finish();
    call.end();
    for await (const event of events) seen.push(event);
    expect(summarize(seen)).toMatchObject({ text: "almost", finish: "stop", done: true });
    await stopped;
  });
});
