import { formatUnits, parseUnits } from "viem";
import { AppError } from "../errors/index.ts";

/** Largest amount the contracts can hold in one stream or channel, in raw units. */
export const MAX_AMOUNT = 2n ** 128n - 1n;

/** A wire amount (decimal string of raw units, no sign, no leading zeros) as bigint. Throws BAD_AMOUNT. */
export function parseRaw(text: unknown, param = "amount"): bigint {
  if (typeof text !== "string" || !/^(0|[1-9]\d{0,38})$/.test(text)) {
    throw new AppError("BAD_AMOUNT", `${param} must be a decimal string of raw units.`, { param, hint: 'Send for example "1500".' });
  }
  const raw = BigInt(text);
  if (raw > MAX_AMOUNT) throw new AppError("BAD_AMOUNT", `${param} is larger than any deposit can be.`, { param });
  return raw;
}

/** A human amount such as "0.01" in raw units of an asset with `decimals`. Throws BAD_AMOUNT, also when digits would be lost. */
export function parseAmount(text: string, decimals = 18, param = "amount"): bigint {
  const match = /^(\d{1,100})(?:\.(\d{1,36}))?$/.exec(text.trim());
  const fraction = match?.[2]?.replace(/0+$/, "") ?? "";
  if (!match || fraction.length > decimals) {
    throw new AppError("BAD_AMOUNT", `${param} must be a decimal number with at most ${decimals} decimals.`, { param });
  }
  const raw = parseUnits(`${match[1]}.${fraction || "0"}`, decimals);
  if (raw > MAX_AMOUNT) throw new AppError("BAD_AMOUNT", `${param} is larger than any deposit can be.`, { param });
  return raw;
}

/** Exact human form of raw units, without trailing zeros: 4200000000000000n → "0.0042". */
export function formatAmount(raw: bigint, decimals = 18): string {
  return formatUnits(raw, decimals);
}
