import { AppError, type Facts } from "@clawcompute/lib/errors";
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
import { type Address, type Hex, isAddress, isAddressEqual, keccak256, numberToHex, stringToHex } from "viem";
import { z } from "zod";
import type { ServedOffer } from "../offers.ts";
import type { PayAccount } from "./account.ts";
import type { Balances } from "./balances.ts";
import type { Facilitator } from "./facilitator.ts";
import type { Tokens } from "./tokens.ts";
import type { Transfers } from "./transfers.ts";
import type { Batch, BatchPaid } from "./x402Batch.ts";
import { correctAccepts } from "./x402Mismatch.ts";

/** x402 v2: a payment in tokens before the answer (`exact`, upfront), or the proof of an open stream (`stream`). */
export interface X402 {
  /** Value of `PAYMENT-REQUIRED` for this path; of one model, where the URL names it (`?model=`). */
  required(url: string, refusal?: Facts): Promise<string>;
  /** A payment that comes with a request: what it leaves is a balance. With `onto`, that balance gets it. `secret`: the payer's alone. */
  pay(header: string, options?: { readonly onto?: PayAccount | undefined; readonly secret?: string | undefined }): Promise<Paid>;
}

export type Paid =
  | { readonly scheme: "exact"; readonly account: PayAccount; readonly response: SettleResponse }
  | BatchPaid
  | { readonly scheme: "stream"; readonly proof: SessionRequest; readonly response: SettleResponse };

export interface X402Options {
  readonly chainId: number;
  readonly headNumber: () => Promise<bigint>;
  /** Of streams. */
  readonly domain: Domain;
  readonly payee: Address;
  readonly offers: readonly ServedOffer[];
  readonly tokens: Tokens;
  readonly facilitator: Facilitator | undefined;
  readonly batch: Batch | undefined;
  readonly balances: Balances;
  readonly transfers: Transfers;
  readonly clock: Clock;
  /** What one payment covers. */
  readonly seconds: number;
}

const TIMEOUT_SECONDS = 120;
const MOST = 2n ** 256n;
const authorization = z.object({ from: z.string(), nonce: z.string().regex(/^(0x[0-9a-fA-F]{1,64}|\d{1,78})$/) });

export function createX402(options: X402Options): X402 {
  const { chainId, headNumber, domain, payee, offers, tokens, facilitator, batch, balances, transfers, clock, seconds } = options;
  const network = networkOf(chainId);
  const refuse = (message: string) => new AppError("PAYMENT_REFUSED", message, { param: "payment-signature" });

  async function exactOf({ terms, providerId }: ServedOffer): Promise<readonly PaymentRequirements[]> {
    const { asset, pricePerSecond, model } = terms;
    const facts = await tokens(asset);
    const methods = facilitator ? [facts.eip3009 ? "eip3009" : undefined, facts.x402Permit2 ? "permit2" : undefined] : [];
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
    const exact = (await Promise.all(listed.map(exactOf))).flat();
    const batched = batch ? await Promise.all(exact.map(batch.requirementsOf)) : [];
    return [...batched.filter((each) => each !== undefined), ...exact, ...listed.map(streamOf)];
  }

  async function payBatch(payload: PaymentPayload): Promise<Paid> {
    const { asset, extra, scheme } = payload.accepted;
    const wanted = (await accepts()).find(
      (each) =>
        each.scheme === scheme &&
        each.asset.toLowerCase() === asset.toLowerCase() &&
        (extra.providerId ?? each.extra.providerId) === each.extra.providerId,
    );
    if (!wanted || !batch) throw refuse("This provider does not take this payment now.");
    return batch.pay(payload, wanted);
  }

  async function payExact(payload: PaymentPayload, { onto, secret }: NonNullable<Parameters<X402["pay"]>[1]>): Promise<Paid> {
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
    if (onto && onto.row.state !== "open") throw refuse("The balance that this payment is for has ended.");
    const method = wanted.extra.assetTransferMethod as "eip3009" | "permit2";
    const { from, nonce } = identityOf(payload, method);
    const key = `x402:${chainId}:${wanted.asset}:${from}:${nonce}`.toLowerCase();
    const payment = onto?.row.payment ?? BigInt(keccak256(stringToHex(key)));
    const amount = BigInt(wanted.amount);
    const terms = { providerId, payer: from, asset: wanted.asset as Address, ratePerSecond };
    const intent = {
      asset: terms.asset,
      payer: from,
      sinceBlock: String(await headNumber()),
      paid: { method, nonce, providerId, ratePerSecond: String(ratePerSecond) },
    };
    const made = await transfers.once(
      { key, payment, kind: "funding", amount, intent, nowMs: clock.now(), ...(secret === undefined ? {} : { secret }) },
      async (hold) => {
        try {
          const { hash } = await facilitator.settle(payload, wanted, hold.signed);
          return { hash, account: await balances.fund({ key, payment, amount, hash, terms }) };
        } catch (thrown) {
          if (await hold.release()) throw thrown;
          throw new AppError("IDEMPOTENCY_CONFLICT", "It is not known yet whether this payment has arrived.", {
            retryAfterSeconds: 5,
            hint: "Send the same payment again in a moment; do not sign another one.",
            cause: thrown,
          });
        }
      },
    );
    if ("mine" in made) return { scheme: "exact", account: made.mine.account, response: responseOf(made.mine.hash, from, wanted.amount) };
    const { known } = made;
    if (known.state === "failed") throw refuse("This authorization was used for something else.");
    if (known.state !== "done") {
      throw new AppError("IDEMPOTENCY_CONFLICT", "This payment is being sent already.", {
        retryAfterSeconds: 2,
        hint: "Ask again in a moment.",
      });
    }
    // All of a payment can be read on the chain, so showing it again proves nothing.
    if (!(await transfers.mayHave(known, secret))) {
      throw new AppError("IDEMPOTENCY_CONFLICT", "This payment was taken before.", {
        param: "payment-signature",
        hint: "Go on with the balance token that came with its answer, or sign another payment; what is left of it goes back to its payer.",
      });
    }
    const account = await balances.fund({ key, payment: known.payment, amount, hash: undefined, terms });
    return { scheme: "exact", account, response: responseOf(known.transactionHash ?? "0x", from, wanted.amount) };
  }

  const responseOf = (transaction: string, payer: string, amount: string): SettleResponse => ({
    success: true,
    transaction,
    network,
    payer,
    amount,
  });

  /** What is booked must be what is sent: a payment holds one authorization, of the kind that it says. */
  function identityOf({ payload }: PaymentPayload, method: "eip3009" | "permit2"): { from: Address; nonce: Hex } {
    const [own, other] =
      method === "eip3009" ? (["authorization", "permit2Authorization"] as const) : (["permit2Authorization", "authorization"] as const);
    const given = authorization.safeParse(other in payload ? undefined : payload[own]);
    if (!given.success || !isAddress(given.data.from, { strict: false }) || BigInt(given.data.nonce) >= MOST) {
      throw refuse("The payment names no payer and nonce.");
    }
    return { from: given.data.from, nonce: numberToHex(BigInt(given.data.nonce), { size: 32 }) };
  }

  return {
    required: async (url, refusal = {}) => {
      const resource = { url, description: "Answers of a model, paid by the second", mimeType: "text/event-stream" };
      const all = await accepts();
      // Clients take the first that they know; the model that they ask for is in a body which they have not sent yet.
      const model = new URL(url).searchParams.get("model");
      const named = all.filter(({ extra }) => extra.model === model);
      const ways = named.length > 0 ? named : all;
      const error = typeof refusal.reason === "string" ? refusal.reason : "PAYMENT-SIGNATURE header is required";
      return encodeX402({ x402Version: 2, error, resource, accepts: [...correctAccepts(ways, refusal)] });
    },
    pay: async (header, options = {}) => {
      const payload = decodePaymentPayload(header);
      if (payload.accepted.network !== network) throw refuse(`This provider is paid on ${network}.`);
      if (!isAddressEqual(payload.accepted.payTo as Address, payee)) throw refuse("This payment is for somebody else.");
      if (payload.accepted.scheme === "exact") return payExact(payload, options);
      if (payload.accepted.scheme === "batch-settlement") return payBatch(payload);
      if (payload.accepted.scheme !== "stream") throw refuse("This provider does not know this scheme.");
      const proof = sessionRequest.safeParse(payload.payload);
      if (!proof.success) throw refuse("The proof of the stream is malformed.");
      return { scheme: "stream", proof: proof.data, response: responseOf(`stream:${proof.data.streamId}`, "", "0") };
    },
  };
}
