import { AppError, type Facts } from "@clawcompute/lib/errors";
import type { Domain } from "@clawcompute/lib/protocol";
import type { Address } from "viem";
import type { Caller } from "./caller.ts";
import type { ChainTime } from "./chainTime.ts";
import { offerOf, type ServedOffer } from "./offers.ts";
import type { PaymentNotes, Payments } from "./payments/payments.ts";
import type { RateLimit } from "./rateLimit.ts";
import { assertServes, type ServiceName } from "./services.ts";
import { hashToken, isSameStream, type Sessions, type TokenHolder } from "./sessions.ts";
import type { PayingStream, Streams } from "./streams.ts";

/** A caller whose stream pays for what comes next. */
export interface Payer {
  readonly stream: PayingStream;
  readonly offer: ServedOffer;
  /** What its way of paying adds to an answer. */
  readonly notes?: PaymentNotes;
}

/** Decides who is served. The checks that cost least come first. */
export interface Admission {
  /** The token alone, whatever became of its stream: for reading receipts. Throws TOKEN_MISSING, TOKEN_UNKNOWN or RATE_LIMITED. */
  holder(caller: Caller): Promise<TokenHolder>;
  /** A token whose stream is open on chain, for ending its use; the deposit may be used up. */
  party(caller: Caller): Promise<Payer>;
  /** A token whose stream pays for new work. Throws RATE_LIMITED when its payer asks too often. */
  payer(caller: Caller): Promise<Payer>;
  /** The model that the stream pays for, asked for by name or not at all. Throws MODEL_NOT_FOUND or UNSUPPORTED. */
  assertModel(payer: Payer, model: string | undefined, service: ServiceName): void;
  /** Again right before work, because reading the body takes time. Throws DRAINING or STREAM_SETTLING. */
  assertServing(payer: Payer): void;
  /** Throws RUNWAY_TOO_SHORT when less than the least runway, and `extraMs`, is left. */
  assertRunway(payer: Payer, extraMs?: number): void;
  /** Nothing may start on the stream until the returned function is called; with `true`, never again. */
  holdLast(stream: PayingStream): (settled: boolean) => void;
  /** What a payer needs to know to open a stream. */
  howToPay(): Facts;
  drain(): void;
  /** Throws DRAINING. */
  assertNotDraining(): void;
  readonly draining: boolean;
}

export interface AdmissionOptions {
  readonly sessions: Sessions;
  readonly streams: Streams;
  readonly offers: readonly ServedOffer[];
  readonly payments: Pick<Payments, "payerOf">;
  readonly chainTime: ChainTime;
  readonly domain: Domain;
  readonly payee: Address;
  readonly minRunwayMs: number;
  /** Of each payer. */
  readonly requests: RateLimit;
  /** Of each address: proofs and tokens that turned out to be worth nothing. */
  readonly attempts: RateLimit;
}

/** Tokens remembered as good, so that strangers at the same address cannot lock them out. */
const GOOD_TOKENS = 20_000;

export function createAdmission(options: AdmissionOptions): Admission {
  const { sessions, streams, offers, payments, chainTime, domain, payee, minRunwayMs, requests, attempts } = options;
  const good = new Set<string>();
  /** Streams whose last answer is under way. */
  const ending = new Map<bigint, number>();
  /** Requests that were let in before the end but are still sending their body meet it here; the store knows the rest. */
  const ended = new WeakSet<PayingStream>();
  let draining = false;

  const unknown = () => new AppError("TOKEN_UNKNOWN", "This session token is not known here.", { param: "authorization" });

  async function holder({ authorization, party }: Caller): Promise<TokenHolder> {
    const token = /^Bearer +(.+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) {
      throw new AppError("TOKEN_MISSING", "This needs a session token as bearer.", {
        param: "authorization",
        facts: paymentFacts(offers, domain, payee),
      });
    }
    if (!/^[\w-]{43}$/.test(token)) throw unknown();
    // Found by its hash, so neither the store nor the time that a look takes says anything about other tokens.
    const hash = hashToken(token);
    if (!good.has(hash)) attempts.assertMay(party);
    const found = await sessions.find(token);
    if (!found) {
      good.delete(hash);
      attempts.take(party);
      throw unknown();
    }
    good.add(hash);
    if (good.size > GOOD_TOKENS) good.delete(good.values().next().value as string);
    return found;
  }

  function payerOf(stream: PayingStream, holder: TokenHolder): Payer {
    if (!isSameStream(holder, stream.state)) throw unknown();
    const offer = offerOf(offers, stream.state.providerId);
    if (!offer) throw new AppError("WRONG_PROVIDER", "This stream pays for an offer that is not served here.", { param: "authorization" });
    return { stream, offer };
  }

  function assertNotDraining(): void {
    if (draining) throw new AppError("DRAINING", "This provider takes no new requests.", { retryAfterSeconds: 30 });
  }

  function assertListed({ active, terms }: ServedOffer): void {
    if (!active) throw new AppError("DRAINING", `The offer of ${terms.model} was taken off the market.`, { retryAfterSeconds: 60 });
  }

  const settling = (streamId: bigint) =>
    new AppError("STREAM_SETTLING", "The use of this stream has ended.", { param: "authorization", facts: { streamId: String(streamId) } });

  return {
    holder,
    assertNotDraining,
    party: async (caller) => {
      const found = await holder(caller);
      return payerOf(await streams.getOpen(found.streamId), found);
    },
    payer: async (caller) => {
      assertNotDraining();
      const paying = await payments.payerOf(caller);
      if (paying) {
        requests.take(paying.stream.state.payer);
        chainTime.assertFresh();
        assertListed(paying.offer);
        return paying;
      }
      const found = await holder(caller);
      requests.take(found.payer);
      if (found.settled || ending.has(found.streamId)) throw settling(found.streamId);
      chainTime.assertFresh();
      const payer = payerOf(await streams.get(found.streamId), found);
      assertListed(payer.offer);
      return payer;
    },
    assertModel: ({ offer }, model, service) => {
      const { terms } = offer;
      if (model !== undefined && model !== terms.model) {
        throw new AppError("MODEL_NOT_FOUND", `This stream pays for the model "${terms.model}".`, {
          param: "model",
          facts: { model: terms.model, providerId: offer.providerId ?? null },
          hint: "Ask for that model, or open a stream to the provider of the other one; GET /v1/models lists what is served here.",
        });
      }
      assertServes(offer, service);
    },
    assertServing: ({ stream, offer }) => {
      assertNotDraining();
      assertListed(offer);
      if (ending.has(stream.id) || ended.has(stream)) throw settling(stream.id);
    },
    assertRunway: ({ stream }, extraMs = 0) => {
      if (stream.cover) return stream.cover.assertMayBegin();
      const runwayMs = streams.runwayMs(stream);
      const neededMs = minRunwayMs + extraMs;
      if (runwayMs >= neededMs) return;
      throw new AppError("RUNWAY_TOO_SHORT", "The stream's deposit lasts too short for an answer.", {
        param: "authorization",
        facts: {
          streamId: String(stream.id),
          runwayMs,
          minRunwayMs: neededMs,
          ratePerSecond: String(stream.state.ratePerSecond),
          providerId: stream.state.providerId,
          chainId: domain.chainId,
          contract: domain.verifyingContract,
        },
      });
    },
    holdLast: (stream) => {
      const { id } = stream;
      ending.set(id, (ending.get(id) ?? 0) + 1);
      let held = true;
      return (settled) => {
        if (settled) ended.add(stream);
        if (!held) return;
        held = false;
        const left = (ending.get(id) ?? 1) - 1;
        if (left > 0) ending.set(id, left);
        else ending.delete(id);
      };
    },
    howToPay: () => paymentFacts(offers, domain, payee),
    drain: () => {
      draining = true;
    },
    get draining() {
      return draining;
    },
  };
}

/** What a payer needs to know to open a stream: one entry for each offer. */
export function paymentFacts(offers: readonly ServedOffer[], domain: Domain, payee: Address): Facts {
  const priced = offers.filter((offer) => offer.providerId !== undefined);
  const first = priced[0];
  return {
    chainId: domain.chainId,
    contract: domain.verifyingContract,
    payee,
    ...(first
      ? {
          providerId: first.providerId as number,
          model: first.terms.model,
          asset: first.terms.asset,
          pricePerSecond: String(first.terms.pricePerSecond),
        }
      : {}),
    ...(priced.length > 1
      ? {
          providerIds: priced.map((offer) => String(offer.providerId)),
          models: priced.map((offer) => offer.terms.model),
          pricesPerSecond: priced.map((offer) => String(offer.terms.pricePerSecond)),
        }
      : {}),
  };
}
