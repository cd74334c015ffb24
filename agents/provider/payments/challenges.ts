import { createHmac, timingSafeEqual } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import { costDown } from "@clawcompute/lib/money";
import type { Domain } from "@clawcompute/lib/protocol";
import { type Challenge, encodeRequest, readSessionTerms } from "@clawcompute/lib/protocol/payments";
import type { Address } from "viem";
import type { ServedOffer } from "../offers.ts";

/** Challenges that need no memory: each carries what it was made of, sealed. */
export interface Challenges {
  issue(offer: ServedOffer): Promise<Challenge>;
  /** What an earlier challenge of ours asked for. Throws CHALLENGE_UNKNOWN. */
  check(challenge: Challenge): Promise<Quote>;
}

export interface Quote {
  readonly providerId: number;
  readonly ratePerSecond: bigint;
  readonly asset: Address;
  /** It may no longer show a channel for the first time. */
  readonly expired: boolean;
}

export interface ChallengesOptions {
  /** The same in every replica, and after a restart. */
  readonly secret: () => Promise<Uint8Array>;
  /** Of channels. */
  readonly domain: Domain;
  readonly payee: Address;
  readonly stepMs: number;
  readonly nowMs: () => number;
  /** How channels in this asset may be opened, best first. */
  readonly credentialTypes: (asset: Address) => Promise<readonly string[]>;
}

const REALM = "clawcompute";
const HEADER = "Payment-Authorization";
/** A price is held this long for who has seen it. */
const VALID_MS = 3_600_000;
/** Rounded, so that a minute's challenges are the same. */
const ROUND_MS = 60_000;
const SUGGESTED_SECONDS = 600;

export function createChallenges(options: ChallengesOptions): Challenges {
  const { secret, domain, payee, stepMs, nowMs, credentialTypes } = options;
  const issued = new Map<string, Challenge>();

  async function idOf({ realm, method, intent, request, expires = "", digest = "", opaque = "" }: Omit<Challenge, "id">): Promise<string> {
    const sealed = [realm, method, intent, request, expires, digest, opaque].join("|");
    return createHmac("sha256", await secret())
      .update(sealed)
      .digest("base64url");
  }

  const unknown = (message: string) => new AppError("CHALLENGE_UNKNOWN", message, { param: "payment-authorization" });

  return {
    issue: async ({ terms, providerId, caps }) => {
      const { model, asset, pricePerSecond } = terms;
      const types = await credentialTypes(asset);
      const request = encodeRequest({
        amount: String(pricePerSecond),
        unitType: "second",
        suggestedDeposit: String(pricePerSecond * BigInt(SUGGESTED_SECONDS)),
        currency: asset,
        recipient: payee,
        description: model,
        externalId: String(providerId),
        methodDetails: {
          chainId: domain.chainId,
          escrowContract: domain.verifyingContract,
          credentialTypes: types,
          feePayer: types.some((type) => type !== "hash"),
          ...(caps.pricePerToken === undefined ? {} : { priceCapPerToken: String(caps.pricePerToken) }),
          voucherStep: String(costDown(pricePerSecond, stepMs)),
        },
      });
      const expires = new Date(Math.ceil((nowMs() + VALID_MS) / ROUND_MS) * ROUND_MS).toISOString();
      const known = issued.get(`${request} ${expires}`);
      if (known) return known;
      const parts = { realm: REALM, method: "evm", intent: "session", request, expires, header: HEADER };
      const challenge = { id: await idOf(parts), ...parts };
      if (issued.size > 1_000) issued.clear();
      issued.set(`${request} ${expires}`, challenge);
      return challenge;
    },
    check: async (challenge) => {
      const expected = Buffer.from(await idOf(challenge));
      const given = Buffer.from(challenge.id);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw unknown("This challenge is not of this provider.");
      if (challenge.method !== "evm" || challenge.intent !== "session") throw unknown("This challenge is for another way to pay.");
      const { amount, currency, externalId } = readSessionTerms(challenge);
      return {
        providerId: Number(externalId),
        ratePerSecond: amount,
        asset: currency,
        expired: Date.parse(challenge.expires ?? "") < nowMs(),
      };
    },
  };
}
