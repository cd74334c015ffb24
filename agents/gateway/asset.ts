import { type Chain, decodeRevert } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount } from "@clawcompute/lib/money";
import { type Address, erc20Abi, isAddressEqual, zeroAddress } from "viem";

/** What is paid with. A gateway pays with one asset: its limits, prices and books are all in that one's units; gas is beside them. */
export interface Asset {
  /** Zero: the native coin. */
  readonly address: Address;
  readonly symbol: string;
  readonly decimals: number;
}

export const nativeAsset = ({ network }: Chain): Asset => ({ address: zeroAddress, symbol: network.nativeSymbol, decimals: 18 });

export const isNative = ({ address }: Pick<Asset, "address">): boolean => isAddressEqual(address, zeroAddress);

/** As the token says of itself: its symbol is a stranger's text. Throws CONFIG_INVALID when it is none. */
export async function readAsset(chain: Chain, address: Address): Promise<Asset> {
  if (isNative({ address })) return nativeAsset(chain);
  const token = { address, abi: erc20Abi } as const;
  try {
    const [symbol, decimals] = await Promise.all([
      chain.client.readContract({ ...token, functionName: "symbol" }),
      chain.client.readContract({ ...token, functionName: "decimals" }),
    ]);
    return { address, symbol: symbol.replace(/[^\x21-\x7e]/g, "").slice(0, 12) || "token", decimals };
  } catch (thrown) {
    const cause = decodeRevert(thrown);
    if (cause.code === "CHAIN_UNAVAILABLE") throw cause;
    throw new AppError("CONFIG_INVALID", `${address} is no token on this network.`, { hint: "Correct GATEWAY_ASSET.", cause });
  }
}

/** A limit that was read with a coin's 18 decimals, in the asset's own units. Throws CONFIG_INVALID when it has digits that the asset has not. */
export function inUnitsOf({ decimals, symbol }: Pick<Asset, "decimals" | "symbol">, amount: bigint): bigint {
  const raw = amount * 10n ** BigInt(decimals);
  if (raw % 10n ** 18n === 0n) return raw / 10n ** 18n;
  const hint = `${symbol} has ${decimals} decimals.`;
  throw new AppError("CONFIG_INVALID", `${formatAmount(amount)} has more digits than ${symbol}.`, { hint });
}

/** A client's own cap in the asset's units, rounded down. */
export const atMostIn = ({ decimals }: Pick<Asset, "decimals">, amount: bigint | undefined): bigint | undefined =>
  amount === undefined ? undefined : (amount * 10n ** BigInt(decimals)) / 10n ** 18n;

/** "1.5 USDC". */
export const inWords = ({ decimals, symbol }: Pick<Asset, "decimals" | "symbol">, raw: bigint): string =>
  `${formatAmount(raw, decimals)} ${symbol}`;

/** What a bill takes from a budget in the asset: gas counts where it is paid in the same coin. */
export const spentOf = (asset: Asset, { paidWei, feeWei }: { readonly paidWei: bigint; readonly feeWei: bigint }): bigint =>
  isNative(asset) ? paidWei + feeWei : paidWei;
