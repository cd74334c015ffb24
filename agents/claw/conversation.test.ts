import { AppError } from "@clawcompute/lib/errors";
import { createDialer, type Dialer, systemClock } from "@clawcompute/lib/node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { attemptLimits } from "../gateway/attempt.ts";
import { createProviderClient } from "../gateway/providerClient.ts";
import { createStreamRail } from "../gateway/streams/streamRail.ts";
import { type Market, openMarket, quiet } from "../gateway/testing/market.ts";
import { fail, wholeAnswer } from "../gateway/testing/scriptedProvider.ts";
import { type Conversation, createConversation } from "./conversation.ts";
import type { ConversationOptions } from "./conversationTerms.ts";

let market: Market;
let dialer: Dialer;
const messages = [{ role: "user", content: "hello" }];
const signal = new AbortController().signal;

beforeAll(async () => {
  market = await openMarket();
  dialer = createDialer({ allowPrivate: true });
}, 60_000);
afterEach(() => market.clear());
afterAll(async () => {
  dialer.close();
  await market.close();
}, 30_000);

function converse(change: Partial<ConversationOptions> = {}): { conversation: Conversation; told: string[]; kinds: string[] } {
  const told: string[] = [];
  const kinds: string[] = [];
  const { chain, sender, payer } = market;
  const clientOf = ({ endpoint }: { endpoint: string }) => createProviderClient(endpoint, dialer);
  const limits = { ...attemptLimits, firstTokenMs: 3_000, sessionRetryMs: 20 };
  const onTransaction = ({ kind }: { kind: string }) => void kinds.push(kind);
  const conversation = createConversation({
    chain,
    rail: createStreamRail({ chain, sender, signer: payer, clientOf, limits, clock: systemClock, logger: quiet, onTransaction }),
    clientOf,
    limits,
    clock: systemClock,
    logger: quiet,
    observer: {
      quote: ({ offer }) => void told.push(`quote ${offer.model}`),
      opened: () => void told.push("opened"),
      toppedUp: (_, seconds) => void told.push(`topped up ${seconds}`),
      requested: () => void told.push("requested"),
      text() {},
      failed: (_, { code }) => void told.push(`failed ${code}`),
      receipt: () => void told.push("receipt"),
      ending: () => void told.push("ending"),
      ended: () => void told.push("ended"),
    },
    maxSpend: 10n ** 16n,
    seconds: 60,
    exactSeconds: false,
    ...change,
  });
  return { conversation, told, kinds };
}

/** Lets the chain's time pass until the open stream lasts about 4 s more: too short for a question, long enough to be prolonged. */
async function nearlyRunDry(conversation: Conversation): Promise<void> {
  await conversation.tick();
  const runwayMs = conversation.state().open?.runwayMs() ?? 0;
  await market.local.advance(Math.ceil((runwayMs - 4_000) / 1_000));
}

describe("createConversation", () => {
  it("behavior: questions share a stream; two at once wait for each other", async () => {
    await market.provide();
    const { conversation, told, kinds } = converse();
    const turns = await Promise.all([conversation.send(messages, {}, { signal }), conversation.send(messages, {}, { signal })]);
    expect(turns.map(({ answer }) => answer?.text)).toEqual(["paid by the second", "paid by the second"]);
    await conversation.end();
    await conversation.end();
    expect(told).toEqual(["quote tiny", "opened", "requested", "receipt", "requested", "receipt", "ending", "ended"]);
    expect(kinds).toEqual(["open", "settle"]);
    expect(conversation.state().spentWei).toBe(conversation.state().endings[0]?.bill.paidWei);
  });

  it("error: a provider that fails before its first word is left, ended and not the first choice again", async () => {
    await market.provide({ price: 1n * 10n ** 12n, model: "bad", chat: ({ response }) => void response.destroy() });
    await market.provide({ price: 2n * 10n ** 12n, model: "good" });
    const { conversation, told, kinds } = converse();
    const turn = await conversation.send(messages, {}, { signal });
    expect(turn).toMatchObject({ failure: undefined, offer: { model: "good" }, attempts: [{ code: expect.stringMatching(/^PROVIDER_/) }] });
    await conversation.end();
    await conversation.send(messages, {}, { signal });
    await conversation.end();
    expect(told.filter((words) => words.startsWith("quote"))).toEqual(["quote bad", "quote good", "quote good"]);
    expect(kinds.filter((kind) => kind === "open")).toHaveLength(3);
    expect(conversation.state().endings).toHaveLength(3);
  });

  it("error: a lie in a receipt is told, and the stream is ended at once", async () => {
    await market.provide({
      chat: async (exchange) => {
        exchange.token("whole", "stop");
        exchange.receipt(await exchange.sign({ servedMs: 50_000, cumulativeServedMs: 50_000 }));
        exchange.done();
      },
    });
    const { conversation, told } = converse();
    const turn = await conversation.send(messages, {}, { signal });
    expect(turn).toMatchObject({ failure: { code: "PROVIDER_DISHONEST" }, signed: undefined, answer: { text: "whole" } });
    expect(told.slice(-2)).toEqual(["ending", "ended"]);
    expect(conversation.state().open).toBeUndefined();
  });

  it("error: a stream that the provider does not know any more is replaced, once, and the provider asked again", async () => {
    let refusals = 0;
    await market.provide({
      intercept: (request, response) => {
        if (request.url !== "/v1/chat/completions" || refusals > 0) return undefined;
        refusals += 1;
        fail(response, new AppError("TOKEN_UNKNOWN", "Who?"));
        return true;
      },
    });
    const { conversation, kinds } = converse();
    const turn = await conversation.send(messages, {}, { signal });
    expect(turn).toMatchObject({ failure: undefined, answer: { text: "paid by the second" }, attempts: [] });
    await conversation.end();
    expect(kinds.filter((kind) => kind === "open")).toHaveLength(2);
  });

  it("behavior: another model ends the stream and opens one to its provider", async () => {
    await market.provide({ model: "one" });
    await market.provide({ model: "two" });
    const { conversation, told } = converse();
    expect((await conversation.send(messages, { model: "one" }, { signal })).offer.model).toBe("one");
    expect((await conversation.send(messages, { model: "two" }, { signal })).offer.model).toBe("two");
    expect(told).toEqual(["quote one", "opened", "requested", "receipt", "ending", "ended", "quote two", "opened", "requested", "receipt"]);
    await conversation.end();
  });

  it("behavior: an unused stream is settled before its time runs out", async () => {
    await market.provide();
    const { conversation, told } = converse({ seconds: 30 });
    await conversation.send(messages, {}, { signal });
    await conversation.tick();
    expect(conversation.state().open).toBeDefined();
    await market.local.advance(24);
    await conversation.tick();
    expect(conversation.state().open).toBeUndefined();
    expect(told.slice(-2)).toEqual(["ending", "ended"]);
  });

  it("behavior: a short stream gets more time before a question; without room for that it is replaced", async () => {
    await market.provide();
    const { conversation, kinds } = converse({ seconds: 30 });
    await conversation.send(messages, {}, { signal });
    await nearlyRunDry(conversation);
    await conversation.send(messages, {}, { signal });
    expect(kinds).toEqual(["open", "topUp"]);
    await conversation.end();

    const tight = converse({ seconds: 30, maxSpend: 30n * 10n ** 12n });
    await tight.conversation.send(messages, {}, { signal });
    await nearlyRunDry(tight.conversation);
    await tight.conversation.send(messages, {}, { signal });
    expect(tight.kinds.filter((kind) => kind !== "topUp")).toEqual(["open", "settle", "open"]);
    await tight.conversation.end();
  });

  it("error: the limit counts what was paid; nothing is deposited beyond it", async () => {
    await market.provide();
    const { conversation, kinds } = converse({ maxSpend: 4n * 10n ** 12n });
    await expect(conversation.send(messages, {}, { signal })).rejects.toMatchObject({ code: "DEPOSIT_ABOVE_LIMIT" });
    expect(kinds).toEqual([]);
  });

  it("error: cut by the person: what came is kept, the stream stays, no receipt is needed", async () => {
    const cut = new AbortController();
    await market.provide({
      chat: async (exchange) => {
        if (!cut.signal.aborted) exchange.token("half");
        else await wholeAnswer(exchange);
      },
    });
    const { conversation } = converse();
    const turn = await conversation.send(messages, {}, { signal: cut.signal, onText: () => cut.abort() });
    expect(turn).toMatchObject({ failure: { code: "ABORTED" }, answer: { text: "half" } });
    const next = await conversation.send(messages, {}, { signal });
    expect(next.streamId).toBe(turn.streamId);
    await conversation.end();
  });
});
