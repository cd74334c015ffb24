import { formatAmount } from "@clawcompute/lib/money";

export interface FormatCoinOptions {
  readonly decimals?: number;
  /** Digits kept after the first one that is not zero. */
  readonly digits?: number;
  /** Fixed number of decimal places instead, for numbers that move. */
  readonly places?: number;
}

/** Raw units for a reader, cut and never rounded up: 123456789012345n → "0.00012345". */
export function formatCoin(raw: bigint, { decimals = 18, digits = 5, places }: FormatCoinOptions = {}): string {
  const [whole = "0", fraction = ""] = formatAmount(raw, decimals).split(".");
  if (places !== undefined) return places === 0 ? whole : `${whole}.${fraction.padEnd(places, "0").slice(0, places)}`;
  const first = fraction.search(/[1-9]/);
  if (first < 0) return whole;
  const wanted = whole === "0" ? first + digits : Math.max(0, digits - whole.length);
  const kept = fraction.slice(0, wanted).replace(/0+$/, "");
  return kept === "" ? whole : `${whole}.${kept}`;
}

/** Decimal places in which a rate moves visibly several times a second. */
export function movingPlaces(ratePerSecond: bigint, decimals = 18): number {
  const digitsOfRate = ratePerSecond.toString().length;
  return Math.min(decimals, Math.max(2, decimals - digitsOfRate + 3));
}
