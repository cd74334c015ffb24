import { AppError, type Facts } from "@clawcompute/lib/errors";
import type { Domain } from "@clawcompute/lib/protocol";
import type { Address } from "viem";
import type { ChainTime } from "./chainTime.ts";
import { offerOf, type ServedOffer } from "./offers.ts";
import { isSameStream, type Sessions, type TokenHolder } from "./sessions.ts";
import type { PayingStream, Streams } from "./streams.ts";

/** A caller whose stream pays for what comes next. */
export interface Payer {
  readonly stream: PayingStream;
  readonly offer: ServedOffer;
}

/** Decides who is served. The checks that cost least come first. */
export interface Admission {
  /** The token alone, whatever became of its stream: for reading receipts. Throws TOKEN_MISSING or TOKEN_UNKNOWN. */
  holder(authorization: string | undefined): Promise<TokenHolder>;
  /** A token whose stream is open on chain, for ending its use; the deposit may be used up. */
  party(authorization: string | undefined): Promise<Payer>;
  /** A token whose stream pays for new work. */
  payer(authorization: string | undefined): Promise<Payer>;
  /** The model that the stream pays for, asked for by name or not at all. Throws MODEL_NOT_FOUND or UNSUPPORTED. */
  assertModel(payer: Payer, model: string | undefined, serviceType: number): void;
  /** Again right before work, because reading the body takes time. Throws DRAINING or STREAM_SETTLING. */
  assertServing(payer: Payer): void;
  /** Throws RUNWAY_TOO_SHORT. */
  assertRunway(payer: Payer): void;
  /** Nothing may start on the stream until the returned function is called; with `true`, never again. */
  holdLast(stream: PayingStream): (settled: boolean) => void;
  drain(): void;
  /** Throws DRAINING. */
  assertNotDraining(): void;
  readonly draining: boolean;
}

export interface AdmissionOptions {
  readonly sessions: Sessions;
  readonly streams: Streams;
  readonly offers: readonly ServedOffer[];
  readonly chainTime: ChainTime;
  readonly domain: Domain;
  readonly payee: Address;
  readonly minRunwayMs: number;
}

export function createAdmission({ sessions, streams, offers, chainTime, domain, payee, minRunwayMs }: AdmissionOptions): Admission {
  /** Streams whose last answer is under way. */
  const ending = new Map<bigint, number>();
  /** Requests that were let in before the end but are still sending their body meet it here; the store knows the rest. */
  const ended = new WeakSet<PayingStream>();
  let draining = false;

  const unknown = () => new AppError("TOKEN_UNKNOWN", "This session token is not known here.", { param: "authorization" });

  async function holder(authorization: string | undefined): Promise<TokenHolder> {
    const token = /^Bearer +(.+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) {
      throw new AppError("TOKEN_MISSING", "This needs a session token as bearer.", {
        param: "authorization",
        facts: paymentFacts(offers, domain, payee),
      });
    }
    if (!/^[\w-]{43}$/.test(token)) throw unknown();
    const found = await sessions.find(token);
    if (!found) throw unknown();
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

  const settling = (streamId: bigint) =>
    new AppError("STREAM_SETTLING", "The use of this stream has ended.", { param: "authorization", facts: { streamId: String(streamId) } });

  return {
    holder,
    assertNotDraining,
    party: async (authorization) => {
      const found = await holder(authorization);
      return payerOf(await streams.getOpen(found.streamId), found);
    },
    payer: async (authorization) => {
      assertNotDraining();
      const found = await holder(authorization);
      if (found.settled || ending.has(found.streamId)) throw settling(found.streamId);
      chainTime.assertFresh();
      return payerOf(await streams.get(found.streamId), found);
    },
    assertModel: ({ offer }, model, serviceType) => {
      const { terms } = offer;
      if (model !== undefined && model !== terms.model) {
        throw new AppError("MODEL_NOT_FOUND", `This stream pays for the model "${terms.model}".`, {
          param: "model",
          facts: { model: terms.model, providerId: offer.providerId ?? null },
          hint: "Ask for that model, or open a stream to the provider of the other one; GET /v1/models lists what is served here.",
        });
      }
      if (terms.serviceType !== serviceType) {
        throw new AppError("UNSUPPORTED", `The model "${terms.model}" does not offer this.`, {
          param: "model",
          facts: { serviceType: terms.serviceType },
        });
      }
    },
    assertServing: ({ stream }) => {
      assertNotDraining();
      if (ending.has(stream.id) || ended.has(stream)) throw settling(stream.id);
    },
    assertRunway: ({ stream }) => {
      const runwayMs = streams.runwayMs(stream);
      if (runwayMs >= minRunwayMs) return;
      throw new AppError("RUNWAY_TOO_SHORT", "The stream's deposit lasts too short for an answer.", {
        param: "authorization",
        facts: {
          streamId: String(stream.id),
          runwayMs,
          minRunwayMs,
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
