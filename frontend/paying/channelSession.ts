import type { Chain } from "@clawcompute/lib/chain";
import { AppError, fromStranger } from "@clawcompute/lib/errors";
import { costDown } from "@clawcompute/lib/money";
import { parseSse, routes, type SseEvent } from "@clawcompute/lib/protocol";
import {
  type Challenge,
  createExposure,
  createVouchers,
  decodeNeedVoucher,
  decodePaymentReceipt,
  didOf,
  type Exposure,
  encodeCredential,
  findSessionChallenge,
  paymentEvents,
  paymentHeaders,
  type SignedVoucher,
  signVoucher,
} from "@clawcompute/lib/protocol/payments";
import type { Address, Hex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { endpointOf } from "@/components/chain/untrusted.ts";
import { bytesOf, type ChatEvents, type ChatQuestion, whyUnanswered } from "./providerApi.ts";

/** What this page keeps of a channel beside its conversation: the key that signs vouchers, and how far it has signed. */
export interface KeptChannel {
  readonly voucherKey: Hex;
  readonly salt: Hex;
  readonly payer: Address;
  readonly openHash: Hex;
  readonly openBlock: string;
  readonly busyMs: number;
  /** Decimal raw units; less than the time's cost where the provider claimed less. */
  readonly owed?: string;
  /** Decimal raw units. */
  readonly signed: string;
}

/** One channel in use by this page. */
export interface ChannelSession {
  readonly exposure: Exposure;
  ask(question: ChatQuestion, signal: AbortSignal): Promise<ChatEvents>;
  /** Shows the channel to its provider, as often as needed until it has seen the block. */
  show(): Promise<void>;
  /** The provider closes at what it says it is owed, if this page's measure agrees. False: it did not. */
  close(): Promise<boolean>;
  /** The provider's own signed claim, believed where it is less than this page's measure. */
  agree(claimedMs: number, claimedAmount: bigint): void;
}

const STEP_MS = 1_000;
const CALL_MS = 10_000;
const UNSEEN_WITHIN_MS = 15_000;
const RETRY_MS = 300;

const storageKey = (id: string) => `clawcompute.channel.${id}`;

export function keepChannel(id: string, kept: KeptChannel): void {
  localStorage.setItem(storageKey(id), JSON.stringify(kept));
}

export function keptChannel(id: string): KeptChannel | undefined {
  const text = localStorage.getItem(storageKey(id));
  return text === null ? undefined : (JSON.parse(text) as KeptChannel);
}

export const forgetChannel = (id: string): void => localStorage.removeItem(storageKey(id));

/** The paid path of a provider. Throws ENDPOINT_REFUSED. */
export function chatUrlOf(endpoint: string, isLocalChain: boolean): URL {
  const base = endpointOf(endpoint, isLocalChain);
  if (base) return new URL(base.pathname.replace(/\/$/, "") + routes.chatCompletions.path, base);
  throw new AppError("ENDPOINT_REFUSED", "The offer's endpoint is not one that a page should call.", { hint: "Choose another provider." });
}

/** Throws UNSUPPORTED when the provider takes no vouchers for this offer. */
export async function askChallenge(url: URL, providerId: number): Promise<Challenge> {
  const response = await fetch(url, { credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(CALL_MS) });
  const challenge = findSessionChallenge(response.headers.get(paymentHeaders.challenge), providerId);
  if (challenge) return challenge;
  throw new AppError("UNSUPPORTED", "This provider takes no channel for this model.", { hint: "Pay it by stream." });
}

interface SessionOptions {
  readonly chain: Chain;
  readonly id: Hex;
  readonly providerId: number;
  readonly endpoint: string;
  readonly ratePerSecond: bigint;
  readonly deposit: bigint;
}

const clock = {
  now: () => performance.timeOrigin + performance.now(),
  sleep: (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    }),
};

/** Throws UNSUPPORTED when the page that opened the channel has kept nothing. */
export function createChannelSession({ chain, id, providerId, endpoint, ratePerSecond, deposit }: SessionOptions): ChannelSession {
  const kept = keptChannel(id);
  if (!kept) {
    throw new AppError("UNSUPPORTED", "The key that signs this channel's vouchers was in another browser.", {
      hint: "End the channel: what was not signed away comes back.",
    });
  }
  const url = chatUrlOf(endpoint, chain.network.isLocal);
  const account = privateKeyToAccount(kept.voucherKey);
  const { chainId, contracts } = chain.network;
  const domain = { chainId, verifyingContract: contracts.paymentChannel };
  const source = didOf(chainId, kept.payer);
  const step = (ratePerSecond * BigInt(STEP_MS)) / 1000n;
  let challenge: Challenge | undefined;

  const owed = kept.owed === undefined ? undefined : BigInt(kept.owed);
  const before = { busyMs: kept.busyMs, owed, signed: BigInt(kept.signed) };
  const exposure = createExposure({ ratePerSecond, step, deposit: () => deposit, before }, clock);
  const keep = () => {
    const busyMs = Math.floor(exposure.busyMs());
    const cost = costDown(ratePerSecond, busyMs);
    const least = exposure.owed() < cost ? exposure.owed() : cost;
    keepChannel(id, { ...kept, busyMs, owed: String(least), signed: String(exposure.signed) });
  };
  const agree = (claimedMs: number, claimedAmount: bigint) => {
    exposure.agree(claimedMs, claimedAmount);
    keep();
  };
  const sign = async (cumulativeAmount: bigint): Promise<Hex> => {
    // On disk before it exists: a page that is reloaded never signs ahead of what it forgot.
    keep();
    return signVoucher(account, domain, { channelId: id, cumulativeAmount });
  };

  async function post(payload: object, init: RequestInit & { readonly signal: AbortSignal }): Promise<Response> {
    for (let renewed = false; ; renewed = true) {
      challenge ??= await askChallenge(url, providerId);
      const credential = encodeCredential({ challenge, payload, source });
      const response = await fetch(url, {
        method: "POST",
        credentials: "omit",
        referrerPolicy: "no-referrer",
        redirect: "error",
        cache: "no-store",
        ...init,
        headers: { ...init.headers, [paymentHeaders.credential]: credential },
      }).catch((cause: Error) => {
        throw whyUnanswered(cause, init.signal);
      });
      if (response.ok) return response;
      const error = fromStranger(await response.json().catch(() => undefined), response.status);
      if (error.code !== "CHALLENGE_UNKNOWN" || renewed) throw error;
      challenge = undefined;
    }
  }
  const manage = (payload: object) => post(payload, { signal: AbortSignal.timeout(CALL_MS) });
  const voucherOf = ({ cumulativeAmount, signature }: SignedVoucher) => ({ channelId: id, cumulativeAmount, signature });

  const vouchers = createVouchers({
    exposure,
    ratePerSecond,
    step,
    sign,
    send: async (voucher) => {
      const taken = await manage({ action: "voucher", ...voucherOf(voucher) });
      const { spent } = decodePaymentReceipt(taken.headers.get(paymentHeaders.receipt) ?? "");
      agree(exposure.busyMs(), spent);
    },
    clock,
  });

  async function* withoutPayments(events: AsyncIterable<SseEvent>, stop: () => void): AsyncGenerator<SseEvent> {
    try {
      for await (const event of events) {
        if (event.event === paymentEvents.needVoucher && !vouchers.asked(decodeNeedVoucher(event.data).requiredCumulative)) {
          throw new AppError("PROVIDER_DISHONEST", "The provider wants to be paid for more than it served.");
        }
        if (event.event === undefined) yield event;
      }
    } finally {
      stop();
      if (exposure.running === 0) vouchers.rest();
    }
  }

  let isUnseen = false;
  async function show(): Promise<void> {
    isUnseen = true;
    const voucher = await vouchers.newest();
    const { openHash: hash, salt } = kept as KeptChannel;
    const payload = { action: "open", type: "hash", hash, salt, authorizedSigner: account.address, ...voucherOf(voucher) };
    const deadline = performance.now() + UNSEEN_WITHIN_MS;
    for (;;) {
      try {
        await manage(payload);
        isUnseen = false;
        return;
      } catch (thrown) {
        if (AppError.from(thrown).code !== "CHANNEL_UNKNOWN" || performance.now() > deadline) throw thrown;
        await clock.sleep(RETRY_MS);
      }
    }
  }

  return {
    exposure,
    show,
    ask: async ({ model, messages }, signal) => {
      if (isUnseen) await show();
      const stop = exposure.start();
      try {
        const body = JSON.stringify({ model, messages, stream: true, stream_options: { include_usage: true } });
        const payload = { action: "voucher", ...voucherOf(await vouchers.newest()) };
        // From now on: the first word may take longer than a step.
        vouchers.keepAhead();
        const response = await post(payload, { body, signal, headers: { "content-type": "application/json" } });
        if (!response.body || !/^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "")) {
          throw new AppError("PROVIDER_FAILED", "The provider's answer is not an event stream.");
        }
        const requestId = response.headers.get("x-request-id") ?? undefined;
        return { requestId, events: withoutPayments(parseSse(bytesOf(response.body)), stop) };
      } catch (thrown) {
        stop();
        throw thrown;
      }
    },
    agree,
    close: async () => {
      try {
        const taken = await manage({ action: "voucher", ...voucherOf(await vouchers.newest()) });
        const { spent } = decodePaymentReceipt(taken.headers.get(paymentHeaders.receipt) ?? "");
        if (spent > exposure.ceiling() && spent > exposure.signed) return false;
        exposure.sign(spent);
        await manage({ action: "close", channelId: id, cumulativeAmount: spent, signature: await sign(spent) });
        return true;
      } catch {
        return false;
      }
    },
  };
}
