import { AppError } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";
import { type Domain, type SessionRequest, sessionRequest } from "@clawcompute/lib/protocol";
import {
  decodePaymentPayload,
  encodeX402,
  networkOf,
  type PaymentPayload,
  type PaymentRequirements,
  type SettleResponse,
} from "@clawcompute/lib/protocol/payments";
import { type Address, isAddressEqual, isHex, keccak256, stringToHex } from "viem";
import { z } from "zod";
import type { ServedOffer } from "../offers.ts";
import type { PayAccount } from "./account.ts";
import type { Balances } from "./balances.ts";
import type { Facilitator } from "./facilitator.ts";
import type { Tokens } from "./tokens.ts";
import type { Transfers } from "./transfers.ts";

/** x402 v2: a payment in tokens before the answer (`exact`, upfront), or the proof of an open stream (`stream`). */
export interface X402 {
  /** Value of `PAYMENT-REQUIRED` for this path. */
  required(url: string): Promise<string>;
  /** A payment that comes with a request: what it leaves is a balance. With `onto`, that balance gets it. */
  pay(header: string, onto?: PayAccount): Promise<Paid>;
}

export type Paid =
  | { readonly scheme: "exact"; readonly account: PayAccount; readonly response: SettleResponse }
  | { readonly scheme: "stream"; readonly proof: SessionRequest; readonly response: SettleResponse };

export interface X402Options {
  readonly chainId: number;
  /** Of streams. */
  readonly domain: Domain;
  readonly payee: Address;
  readonly offers: readonly ServedOffer[];
  readonly tokens: Tokens;
  readonly facilitator: Facilitator | undefined;
  readonly balances: Balances;
  readonly transfers: Transfers;
  readonly clock: Clock;
  /** What one payment covers. */
  readonly seconds: number;
}

const TIMEOUT_SECONDS = 120;
const authorization = z.object({ from: z.string(), nonce: z.string().max(80) });

export function createX402(options: X402Options): X402 {
  const { chainId, domain, payee, offers, tokens, facilitator, balances, transfers, clock, seconds } = options;
  const network = networkOf(chainId);
  const refuse = (message: string) => new AppError("PAYMENT_REFUSED", message, { param: "payment-signature" });

  async function exactOf({ terms, providerId }: ServedOffer): Promise<readonly PaymentRequirements[]> {
    const { asset, pricePerSecond, model } = terms;
    const facts = await tokens(asset);
    const methods = facilitator ? [facts.eip3009 ? "eip3009" : undefined, facts.permit2 ? "permit2" : undefined] : [];
    return methods
      .filter((method) => method !== undefined)
      .map((assetTransferMethod) => ({
        scheme: "exact",
        network,
        asset,
        amount: String(pricePerSecond * BigInt(seconds)),
        payTo: payee,
        maxTimeoutSeconds: TIMEOUT_SECONDS,
        extra: { assetTransferMethod, paymentFlow: "upfront", name: facts.name, version: facts.version, providerId, model, seconds },
      }));
  }

  const streamOf = ({ terms, providerId }: ServedOffer): PaymentRequirements => ({
    scheme: "stream",
    network,
    asset: terms.asset,
    amount: String(terms.pricePerSecond),
    payTo: payee,
    maxTimeoutSeconds: TIMEOUT_SECONDS,
    extra: { contract: domain.verifyingContract, providerId, model: terms.model, unit: "second" },
  });

  async function accepts(): Promise<readonly PaymentRequirements[]> {
    const listed = offers.filter(({ providerId, active }) => providerId !== undefined && active);
    return [...(await Promise.all(listed.map(exactOf))).flat(), ...listed.map(streamOf)];
  }

  async function payExact(payload: PaymentPayload, onto: PayAccount | undefined): Promise<Paid> {
    const { accepted } = payload;
    const wanted = (await accepts()).find(
      ({ scheme, asset, amount, extra }) =>
        scheme === "exact" &&
        accepted.asset.toLowerCase() === asset.toLowerCase() &&
        accepted.amount === amount &&
        accepted.extra.assetTransferMethod === extra.assetTransferMethod &&
        (accepted.extra.providerId ?? extra.providerId) === extra.providerId,
    );
    if (!wanted || !facilitator) throw refuse("This provider does not take this payment now: the price or the way has changed.");
    const providerId = wanted.extra.providerId as number;
    const ratePerSecond = BigInt(wanted.amount) / BigInt(seconds);
    if (onto && (onto.row.providerId !== providerId || !isAddressEqual(onto.row.asset, wanted.asset as Address))) {
      throw refuse("This payment is for another offer than the balance.");
    }
    const { from, nonce } = identityOf(payload);
    const key = `x402:${chainId}:${wanted.asset}:${from}:${nonce}`.toLowerCase();
    const payment = onto?.row.payment ?? BigInt(keccak256(stringToHex(key)));
    const amount = BigInt(wanted.amount);
    const known = await transfers.reserve({ key, payment, kind: "funding", amount, nowMs: clock.now() });
    const terms = { providerId, payer: from, asset: wanted.asset as Address, ratePerSecond };
    if (known !== "mine") {
      if (known.state !== "done") {
        throw new AppError("IDEMPOTENCY_CONFLICT", "This payment is being sent already.", {
          retryAfterSeconds: 2,
          hint: "Ask again in a moment.",
        });
      }
      // Paid before: what is left of it pays on.
      const account = await balances.fund({ key, payment: known.payment, amount, hash: undefined, terms });
      return { scheme: "exact", account, response: responseOf(known.transactionHash ?? "0x", from, wanted.amount) };
    }
    const { hash } = await facilitator.settle(payload, wanted).catch(async (thrown) => {
      if (AppError.from(thrown).code === "PAYMENT_REFUSED") await transfers.release(key);
      throw thrown;
    });
    const account = await balances.fund({ key, payment, amount, hash, terms });
    return { scheme: "exact", account, response: responseOf(hash, from, wanted.amount) };
  }

  const responseOf = (transaction: string, payer: string, amount: string): SettleResponse => ({
    success: true,
    transaction,
    network,
    payer,
    amount,
  });

  function identityOf({ payload }: PaymentPayload): { from: Address; nonce: string } {
    const given = authorization.safeParse(payload.authorization ?? payload.permit2Authorization);
    if (!given.success || !isHex(given.data.from)) throw refuse("The payment names no payer and nonce.");
    return { from: given.data.from as Address, nonce: given.data.nonce };
  }

  return {
    required: async (url) => {
      const resource = { url, description: "Answers of a model, paid by the second", mimeType: "text/event-stream" };
      return encodeX402({ x402Version: 2, error: "PAYMENT-SIGNATURE header is required", resource, accepts: [...(await accepts())] });
    },
    pay: async (header, onto) => {
      const payload = decodePaymentPayload(header);
      if (payload.accepted.network !== network) throw refuse(`This provider is paid on ${network}.`);
      if (!isAddressEqual(payload.accepted.payTo as Address, payee)) throw refuse("This payment is for somebody else.");
      if (payload.accepted.scheme === "exact") return payExact(payload, onto);
      if (payload.accepted.scheme !== "stream") throw refuse("This provider does not know this scheme.");
      const proof = sessionRequest.safeParse(payload.payload);
      if (!proof.success) throw refuse("The proof of the stream is malformed.");
      return { scheme: "stream", proof: proof.data, response: responseOf(`stream:${proof.data.streamId}`, "", "0") };
    },
  };
}
