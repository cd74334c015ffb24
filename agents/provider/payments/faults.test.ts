import { channelWrites } from "@clawcompute/lib/chain";
import { costDown } from "@clawcompute/lib/money";
import {
  channelIdOf,
  encodeCredential,
  findSessionChallenge,
  openNonceOf,
  readSessionTerms,
  receiveAuthorizationTypedData,
  signVoucher,
} from "@clawcompute/lib/protocol/payments";
import { type Database, openStore, payReplays, type Store } from "@clawcompute/lib/store";
import {
  createFakeClock,
  devAccounts,
  jointLoss,
  type LocalChain,
  lossAt,
  recordFault,
  recordJointFault,
  startLocalChain,
} from "@clawcompute/lib/testing";
import { type LocalAccount, toHex } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createEchoBackend } from "../backends/echo.ts";
import type { ServedOffer } from "../offers.ts";
import { createChannelPayer, receiptIn } from "../testing/channelPayer.ts";
import { eventsOf } from "../testing/payer.ts";
import { createScriptedBackend } from "../testing/scriptedBackend.ts";
import { PRICE, startProvider, type TestProvider } from "../testing/startProvider.ts";
import { deployToken } from "../testing/token.ts";
import { createChallenges } from "./challenges.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const accounts = devAccounts as readonly LocalAccount[];
const [deployer, owner, consumer, other] = [accounts[0], accounts[1], accounts[5], accounts[3]] as [
  LocalAccount,
  LocalAccount,
  LocalAccount,
  LocalAccount,
];
let local: LocalChain;
let store: Store;
let provider: TestProvider;
let payer: ReturnType<typeof createChannelPayer>;

const start = () =>
  startProvider({
    local,
    store,
    owner,
    offers: [{ model: "m", backend: createEchoBackend({ kind: "echo", tokenDelayMs: 5 }), maxConcurrency: 64 }],
    limits: { perStream: 64, queueLength: 64 },
  });

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 250 });
  store = await openStore({});
  provider = await start();
  payer = createChannelPayer(local, consumer);
});
afterAll(async () => {
  await provider?.stop();
  await store?.close();
  await local?.stop();
});

describe("a provider that dies", () => {
  test("behavior: what comes after it has the voucher, the meter and the receipts, and cashes them", async () => {
    const channel = await payer.open(provider.url, { deposit: PRICE * 60n });
    expect((await channel.chat(await channel.opening(PRICE * 2n))).status).toBe(200);
    expect((await channel.pay(PRICE * 5n)).status).toBe(204);
    const before = receiptIn(await channel.pay(0n));
    // The first one is never told: the other knows only what the store holds.
    const next = await start();
    try {
      const ask = await fetch(`${next.url}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json", "payment-authorization": channel.credential(await channel.voucher(PRICE * 5n)) },
        body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] }),
      });
      expect(ask.status).toBe(200);
      const { receipt } = JSON.parse(Buffer.from(ask.headers.get("clawcompute-receipt") ?? "", "base64url").toString());
      expect(receipt.previousReceiptHash).toBe(before.lastReceiptHash);
      await payer.send(channelWrites.requestClose(channel.channelId));
      await vi.waitFor(async () => expect(await channel.state()).toMatchObject({ status: "closed", settled: PRICE * 5n }), 20_000);
    } finally {
      await next.stop();
    }
  });
});

describe("a store that takes nothing more", () => {
  test("error: an answer that breaks off, and was to be kept for a retry, ends with an error; the process goes on", async () => {
    let isFull = false;
    const db = new Proxy(store.db, {
      get: (target, name) => {
        const method = Reflect.get(target, name);
        if (name !== "delete") return method;
        return (table: unknown) => {
          if (isFull && table === payReplays) return { where: () => Promise.reject(new Error("no space left on device")) };
          return method.call(target, table);
        };
      },
    }) as Database;
    const backend = createScriptedBackend();
    const full = await startProvider({ local, store: { ...store, db }, owner: other, offers: [{ model: "m", backend }] });
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    try {
      const channel = await payer.open(full.url, { deposit: PRICE * 60n });
      const body = { stream: true, messages: [{ role: "user", content: "hi" }] };
      const asking = channel.chat(await channel.opening(PRICE * 30n), body, undefined, { "idempotency-key": "once" });
      const call = await backend.nextCall();
      call.role();
      call.say("Hello");
      const response = await asking;
      isFull = true;
      call.fail(new Error("the engine died"));
      expect(await response.text()).toContain('"error"');
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", note);
      await full.stop();
    }
  });
});

describe("a close", () => {
  test("behavior: asked of the provider and of the chain at once, it is one close, for what was owed or signed", async () => {
    const channel = await payer.open(provider.url, { deposit: PRICE * 60n });
    expect((await channel.chat(await channel.opening(PRICE * 2n))).status).toBe(200);
    const { spent } = receiptIn(await channel.pay(0n));
    await Promise.allSettled([channel.close(spent), payer.send(channelWrites.requestClose(channel.channelId))]);
    await vi.waitFor(async () => expect(await channel.state()).toMatchObject({ status: "closed" }), 20_000);
    expect([spent, PRICE * 2n]).toContain((await channel.state()).settled);
  });

  test("error: nobody but the channel's key can ask for it", async () => {
    const channel = await payer.open(provider.url, { deposit: PRICE });
    expect((await channel.manage(await channel.opening(0n))).status).toBe(204);
    const forged = { ...(await channel.voucher(0n, { by: other })), action: "close" };
    expect((await channel.manage(forged)).status).toBe(402);
    expect(await channel.state()).toMatchObject({ status: "open" });
  });
});

describe("clocks", () => {
  test("behavior: a challenge holds its price until it expires, by this side's clock, and is never believed unsealed", async () => {
    const clock = createFakeClock();
    const terms = { model: "m", asset: "0x0000000000000000000000000000000000000000", pricePerSecond: 7n, serviceType: 0 } as const;
    const offer = { terms, caps: {}, providerId: 3 } as unknown as ServedOffer;
    const challenges = createChallenges({
      secret: async () => Buffer.alloc(32, 7),
      domain: payer.domain,
      payee: owner.address,
      stepMs: 1_000,
      nowMs: () => clock.now(),
      credentialTypes: async () => ["hash"],
    });
    const challenge = await challenges.issue(offer);
    offer.terms = { ...terms, pricePerSecond: 9n };
    expect(await challenges.check(challenge)).toMatchObject({ providerId: 3, ratePerSecond: 7n, expired: false });
    await clock.tick(4_000_000);
    expect(await challenges.check(challenge)).toMatchObject({ expired: true });
    const later = new Date(clock.now() + 3_600_000).toISOString();
    await expect(challenges.check({ ...challenge, expires: later })).rejects.toMatchObject({ code: "CHALLENGE_UNKNOWN" });
  });
});

/** A thousand take half a minute, and minutes where much else runs; CI makes fewer. */
const LEAVING = Number(process.env.PAYMENT_ABORTS ?? 250);
const LEAVING_WITHIN_MS = 60_000 + LEAVING * 250;

describe("callers that leave at random moments", () => {
  const withinSecond = "behavior: engines stop within a second (P9), and the channel owes no more than the time that passed";
  test(withinSecond, { timeout: LEAVING_WITHIN_MS }, async () => {
    const channel = await payer.open(provider.url, { deposit: PRICE * 3_600n });
    const payload = await channel.opening(PRICE * 3_000n);
    expect((await channel.manage(payload)).status).toBe(204);
    const voucher = await channel.voucher(PRICE * 3_000n);
    const body = { stream: true, messages: [{ role: "user", content: "word ".repeat(50) }] };
    const startedAt = performance.now();
    let left = LEAVING;
    let seed = 7;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const leave = async () => {
      while (left > 0) {
        left -= 1;
        const words = Math.floor(random() * 4);
        const gone = new AbortController();
        if (words === 0) setImmediate(() => gone.abort());
        try {
          let read = 0;
          for await (const _ of eventsOf(await channel.chat(voucher, body, gone.signal))) {
            read += 1;
            if (read >= words) gone.abort();
          }
        } catch (thrown) {
          if (!gone.signal.aborted) throw thrown;
        }
      }
    };
    await Promise.all(Array.from({ length: 32 }, leave));
    await vi.waitFor(async () => expect(await gaugeOf("running_answers")).toBe(0), 20_000);
    const passedMs = performance.now() - startedAt;
    const { spent } = receiptIn(await channel.pay(0n));
    const closed = await channel.close(spent);
    expect([closed.status, (await channel.state()).settled]).toEqual([204, spent]);
    const loss = jointLoss({ paid: spent, servedByMeter: spent, servedByStopwatch: costDown(PRICE, passedMs) });
    expect(loss).toEqual({ providerWei: 0n, payerWei: 0n });
    const broken = `${LEAVING} callers of one channel leave at random moments`;
    recordJointFault({ broken, promise: "P4, P5", ratePerSecond: PRICE, boundMs: 0, ...loss });

    const text = await (await fetch(`${provider.url}/metrics`)).text();
    const buckets = [...text.matchAll(/stop_seconds_bucket\{[^}]*le="([\d.]+)"[^}]*reason="client_gone"[^}]*\} (\d+)/g)].map(
      ([, le, count]) => ({ ms: Number(le) * 1000, count: Number(count) }),
    );
    const all = Number(/stop_seconds_count\{[^}]*reason="client_gone"[^}]*\} (\d+)/.exec(text)?.[1] ?? 0);
    expect(all).toBeGreaterThan(LEAVING * 0.3);
    const p99 = buckets.find(({ count }) => count >= all * 0.99)?.ms ?? Number.POSITIVE_INFINITY;
    expect(p99).toBeLessThanOrEqual(1_000);
    const shown = buckets
      .filter(({ ms }) => ms <= 1_000)
      .map(({ ms, count }) => `${count} in ${ms}`)
      .join(", ");
    recordFault({ broken: `${broken}, ${all} before the end (ms: ${shown}); p99 at most`, promise: "P9", ...lossAt(PRICE, p99, 1_000) });
  });
});

async function gaugeOf(name: string): Promise<number> {
  const text = await (await fetch(`${provider.url}/metrics`)).text();
  return Number(new RegExp(`${name}(?:\\{[^}]*\\})? (\\d+)`).exec(text)?.[1] ?? Number.NaN);
}

describe("a payer without gas", () => {
  test("behavior: the provider opens its channel by EIP-3009, and by nothing else than it signed", async () => {
    const token = await deployToken(local, deployer, [consumer.address]);
    const selling = await startProvider({
      local,
      owner: other,
      offers: [{ model: "t", backend: createEchoBackend({ kind: "echo" }), asset: token.address }],
    });
    try {
      const url = `${selling.url}/v1/chat/completions`;
      const challenge = findSessionChallenge((await fetch(url)).headers.get("www-authenticate"));
      if (!challenge) throw new Error("no challenge");
      const { recipient: payee, methodDetails } = readSessionTerms(challenge);
      expect(methodDetails.credentialTypes).toEqual(["authorization", "hash"]);
      const terms = {
        payer: consumer.address,
        payee,
        token: token.address,
        salt: toHex(5n, { size: 32 }),
        authorizedSigner: consumer.address,
      };
      const channelId = channelIdOf(payer.domain, terms);
      const value = PRICE * 100n;
      const message = {
        from: consumer.address,
        to: payer.domain.verifyingContract,
        value,
        validAfter: 0n,
        validBefore: 9_999_999_999n,
        nonce: openNonceOf(terms),
      };
      const facts = { address: token.address, name: "Test Dollar", version: "1", chainId: 31337 };
      const payload = {
        action: "open",
        type: "authorization",
        channelId,
        salt: terms.salt,
        authorizedSigner: consumer.address,
        authorization: message,
        signature: await consumer.signTypedData(receiveAuthorizationTypedData(facts, message)),
        cumulativeAmount: PRICE,
        voucherSignature: await signVoucher(consumer, payer.domain, { channelId, cumulativeAmount: PRICE }),
      };
      const send = (given: object) =>
        fetch(url, {
          method: "POST",
          headers: { "content-type": "application/json", "payment-authorization": encodeCredential({ challenge, payload: given }) },
          body: JSON.stringify({ model: "t", messages: [{ role: "user", content: "hi" }] }),
        });
      const tampered = await send({ ...payload, authorization: { ...message, value: value * 2n } });
      expect([tampered.status, (await tampered.json()).error.code]).toEqual([402, "payment_refused"]);
      const answered = await send(payload);
      expect(answered.status).toBe(200);
      expect(receiptIn(answered)).toMatchObject({ channelId, acceptedCumulative: PRICE });
      expect(await token.balanceOf(payer.domain.verifyingContract)).toBe(value);
      expect((await send(payload)).status).toBe(200);
    } finally {
      await selling.stop();
    }
  });
});
