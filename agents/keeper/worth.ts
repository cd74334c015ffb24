import { invalidConfig, type Setting, text } from "@clawcompute/lib/config/env";
import { parseAmount } from "@clawcompute/lib/money";
import type { Address } from "viem";
import { nativeOnly } from "./plan.ts";

export interface TokenPrice {
  /** Lower case. */
  readonly token: Address;
  readonly decimals: number;
  /** Wei of the native coin for one whole token. */
  readonly weiPerToken: bigint;
}

/** `ADDRESS=COINS` for a token with 18 decimals, else `ADDRESS/DECIMALS=COINS`. */
export function tokenPrice(name: string, common: { describe: string }): Setting<TokenPrice> {
  return {
    ...text(name, common),
    read: (value) => {
      const [, token, decimals = "18", coins = ""] = /^(0x[0-9a-fA-F]{40})(?:\/(\d{1,2}))?=([\d.]+)$/.exec(value) ?? [];
      if (!token || Number(decimals) > 36) throw invalidConfig(name, "must look like 0x…=0.0015 or 0x…/6=0.0015");
      try {
        return { token: token.toLowerCase() as Address, decimals: Number(decimals), weiPerToken: parseAmount(coins, 18, name) };
      } catch {
        throw invalidConfig(name, "must name an amount such as 0.0015 coins for a token");
      }
    },
  };
}

/** Rounded down: a reward is never taken for more than it is. */
export function worthOf(prices: ReadonlyMap<Address, TokenPrice>): (asset: Address, reward: bigint) => bigint {
  return (asset, reward) => {
    const price = prices.get(asset.toLowerCase() as Address);
    return price ? (reward * price.weiPerToken) / 10n ** BigInt(price.decimals) : nativeOnly(asset, reward);
  };
}
