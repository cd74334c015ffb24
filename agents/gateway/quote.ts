import type { Chain, Offer } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount, worstCaseLoss } from "@clawcompute/lib/money";

/** Under this a request is hardly answered: a deposit is never shortened further by itself. */
export const SHORTEST_SECONDS = 5;

/** What is shown before any money moves. */
export interface Quote {
  readonly offer: Offer;
  readonly seconds: number;
  readonly depositWei: bigint;
  /** P3: what a provider that takes the money and never answers can cost, gas aside. */
  readonly worstCaseLossWei: bigint;
}

export interface Caps {
  /** Raw units that this request may lock up, what earlier attempts cost included. */
  readonly maxSpend: bigint;
  readonly spent: bigint;
  readonly seconds: number;
  /** Whether a person asked for exactly these seconds; otherwise fewer will do. */
  readonly exactSeconds: boolean;
  readonly firstTokenMs: number;
}

/** The deposit for an offer within the caps. Throws DEPOSIT_ABOVE_LIMIT naming what would fit. */
export function planDeposit({ network }: Chain, offer: Offer, caps: Caps): Quote {
  const { pricePerSecond } = offer;
  const room = caps.maxSpend - caps.spent;
  const fits = room <= 0n ? 0n : room / pricePerSecond;
  const seconds = fits < BigInt(caps.seconds) ? Number(fits) : caps.seconds;
  const enough = caps.exactSeconds ? caps.seconds : Math.min(caps.seconds, SHORTEST_SECONDS);
  if (seconds < enough) {
    const symbol = network.nativeSymbol;
    const needed = pricePerSecond * BigInt(enough) + caps.spent;
    throw new AppError(
      "DEPOSIT_ABOVE_LIMIT",
      `${enough} s at ${formatAmount(pricePerSecond)} ${symbol} a second exceed the limit of ${formatAmount(caps.maxSpend)} ${symbol}.`,
      {
        param: "max-spend",
        facts: { providerId: offer.id, neededWei: String(needed), maxSpendWei: String(caps.maxSpend), secondsThatFit: seconds },
        hint: `Allow --max-spend ${formatAmount(needed)}${seconds >= 1 && caps.exactSeconds ? `, or ask for --seconds ${seconds}` : ""}.`,
      },
    );
  }
  const depositWei = pricePerSecond * BigInt(seconds);
  const worst = worstCaseLoss(pricePerSecond, caps.firstTokenMs, confirmationMs(network));
  return { offer, seconds, depositWei, worstCaseLossWei: worst < depositWei ? worst : depositWei };
}

/** C of promise P3: how long an ending transaction takes, the block it just missed included. */
export const confirmationMs = ({ blockTimeMs, confirmations }: Chain["network"]): number => blockTimeMs * (confirmations + 1);
