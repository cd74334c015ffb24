import { AppError } from "@clawcompute/lib/errors";
import type { Clock } from "@clawcompute/lib/node";
import { type Address, keccak256, stringToHex } from "viem";
import type { ServedOffer } from "../offers.ts";
import type { RateLimit } from "../rateLimit.ts";
import type { PayAccount } from "./account.ts";
import type { Balances } from "./balances.ts";
import type { Transfers } from "./transfers.ts";

/** Answers for nobody's money: a balance that the provider gives away each day, asked for with the API key `demo`. */
export interface Demo {
  payer(party: string): Promise<PayAccount>;
}

export interface DemoOptions {
  readonly chainId: number;
  readonly payee: Address;
  readonly offers: readonly ServedOffer[];
  readonly balances: Balances;
  readonly transfers: Transfers;
  readonly clock: Clock;
  /** All demo answers of a day together; 0: there is no demo. */
  readonly secondsPerDay: number;
  /** Of each address. */
  readonly requests: RateLimit;
}

export const DEMO_TOKEN = "demo";

export function createDemo(options: DemoOptions): Demo {
  const { chainId, payee, offers, balances, transfers, clock, secondsPerDay, requests } = options;
  return {
    payer: async (party) => {
      const offer = offers.find(({ providerId, active }) => providerId !== undefined && active);
      if (secondsPerDay === 0 || !offer) {
        throw new AppError("TOKEN_UNKNOWN", "This provider gives no demo.", {
          param: "authorization",
          hint: "GET the same path: it answers with every way to pay.",
        });
      }
      requests.take(party);
      const { terms, providerId = 0 } = offer;
      const day = new Date(clock.now()).toISOString().slice(0, 10);
      const key = `demo:${chainId}:${payee}:${providerId}:${day}`.toLowerCase();
      const payment = BigInt(keccak256(stringToHex(key)));
      const amount = terms.pricePerSecond * BigInt(secondsPerDay);
      await transfers.once({ key, payment, kind: "funding", amount, nowMs: clock.now() }, async () => {});
      const { asset, pricePerSecond: ratePerSecond } = terms;
      return balances.fund({ key, payment, amount, hash: undefined, terms: { providerId, payer: payee, asset, ratePerSecond } });
    },
  };
}
