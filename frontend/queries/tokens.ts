import type { Chain } from "@clawcompute/lib/chain";
import { queryOptions } from "@tanstack/react-query";
import { type Address, erc20Abi, zeroAddress } from "viem";
import { shortAddress, untrusted } from "@/components/chain/untrusted.ts";

/** How amounts of an asset are shown. */
export interface Token {
  readonly asset: Address;
  /** The token's own word, cleaned; its address where it has none or one that could be taken for the chain's coin. */
  readonly symbol: string;
  /** Undefined: the token does not tell; amounts are then raw units. */
  readonly decimals: number | undefined;
}

const MOST_DECIMALS = 36;

export const nativeToken = (chain: Chain): Token => ({ asset: zeroAddress, symbol: chain.network.nativeSymbol, decimals: 18 });

/** What a token says of itself: anybody may deploy one, so nothing of it is believed beyond its form. */
export const tokenQuery = (chain: Chain, asset: Address) =>
  queryOptions({
    queryKey: ["token", chain.network.chainId, asset.toLowerCase()],
    queryFn: () => (asset === zeroAddress ? nativeToken(chain) : readToken(chain, asset)),
    staleTime: Number.POSITIVE_INFINITY,
    ...(asset === zeroAddress ? { initialData: nativeToken(chain) } : {}),
  });

async function readToken(chain: Chain, asset: Address): Promise<Token> {
  const contract = { address: asset, abi: erc20Abi } as const;
  const [symbol, decimals] = await Promise.allSettled([
    chain.client.readContract({ ...contract, functionName: "symbol" }),
    chain.client.readContract({ ...contract, functionName: "decimals" }),
  ]);
  const places = decimals.status === "fulfilled" ? decimals.value : undefined;
  return {
    asset,
    symbol: symbolOf(symbol.status === "fulfilled" ? symbol.value : "", asset, chain.network.nativeSymbol),
    decimals: places !== undefined && Number.isInteger(places) && places >= 0 && places <= MOST_DECIMALS ? places : undefined,
  };
}

/** Only what cannot be mistaken: plain letters and digits, and not the coin's own symbol. */
export function symbolOf(symbol: string, asset: Address, nativeSymbol: string): string {
  const clean = untrusted(symbol, 12);
  const isPlain = /^[A-Za-z0-9][A-Za-z0-9.+_-]{0,11}$/.test(clean);
  return isPlain && clean.toLowerCase() !== nativeSymbol.toLowerCase() ? clean : shortAddress(asset);
}
