import { AppError } from "../errors/index.ts";
import { parseAmount } from "../money/index.ts";
import { optional, readSettings, text, url } from "./env.ts";

/** The dashboard's own variables; the chain is named as for every program. */
export const dashboardSettings = {
  indexerUrl: optional(url("INDEXER_URL", { describe: "an indexer's API, for history and speed; without it pages read the chain alone" })),
  coinPrice: optional(
    text("COIN_PRICE", {
      describe: 'what a native coin is worth, such as "612.50 USD", for conversions; nothing is looked up',
      maxLength: 40,
    }),
  ),
  walletConnectProjectId: optional(
    text("WALLETCONNECT_PROJECT_ID", {
      describe: "project id of WalletConnect, to pay from wallets on other devices; without it wallets in the browser only",
      maxLength: 64,
    }),
  ),
};

/** What a native coin is worth in another money, in millionths of it. */
export interface CoinPrice {
  readonly micros: bigint;
  readonly currency: string;
}

export interface DashboardConfig {
  readonly indexerUrl: string | undefined;
  readonly coinPrice: CoinPrice | undefined;
  readonly walletConnectProjectId: string | undefined;
}

/** Throws CONFIG_INVALID naming the variable. */
export function dashboardConfigFromEnv(env: Readonly<Record<string, string | undefined>>): DashboardConfig {
  const { indexerUrl, coinPrice, walletConnectProjectId } = readSettings(dashboardSettings, env);
  return {
    indexerUrl: indexerUrl?.replace(/\/+$/, ""),
    coinPrice: coinPrice === undefined ? undefined : parseCoinPrice(coinPrice),
    walletConnectProjectId,
  };
}

function parseCoinPrice(value: string): CoinPrice {
  const [, amount = "", currency = ""] = /^(\S+) ([A-Z]{3})$/.exec(value.trim()) ?? [];
  try {
    const micros = parseAmount(amount, 6);
    if (micros > 0n) return { micros, currency };
  } catch {
    // Explained below.
  }
  throw new AppError("CONFIG_INVALID", 'COIN_PRICE: must be a price and a currency, such as "612.50 USD".', { param: "COIN_PRICE" });
}
