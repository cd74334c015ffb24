"use client";
import { useQuery } from "@tanstack/react-query";
import { type Address, zeroAddress } from "viem";
import { nativeToken, type Token, tokenQuery } from "@/queries/tokens.ts";
import { useChain } from "@/web3/network.tsx";
import { formatCoin } from "./formatCoin.ts";

export type Per = "s" | "min" | "h";

interface AmountProps {
  raw: bigint;
  /** ERC-20; left out: the native coin. */
  asset?: Address;
  per?: Per;
  places?: number;
  className?: string;
}

/** Money with its unit; the exact figure is in the title. */
export function Amount({ asset = zeroAddress, ...rest }: AmountProps) {
  // Most amounts are the coin's, which nobody has to be asked about: a market has several of them for each offer.
  return asset === zeroAddress ? <CoinAmount {...rest} /> : <TokenAmount asset={asset} {...rest} />;
}

type Shown = Omit<AmountProps, "asset">;

const CoinAmount = (shown: Shown) => <Figure {...shown} token={nativeToken(useChain())} exact={`${shown.raw} wei`} />;

function TokenAmount({ asset, ...shown }: Shown & { asset: Address }) {
  const { data: token } = useQuery(tokenQuery(useChain(), asset));
  return <Figure {...shown} token={token} exact={`${shown.raw} raw units of the token ${asset}`} />;
}

function Figure({ raw, token, exact, per, places, className = "" }: Shown & { token: Token | undefined; exact: string }) {
  const { figure, unit } = amountParts(raw, token, places);
  return (
    <span className={`whitespace-nowrap tabular-nums ${className}`} title={exact}>
      {figure} <span className="text-[0.85em] text-soft">{per ? `${unit}/${per}` : unit}</span>
    </span>
  );
}

/** What stands before and in the unit; raw units while the token has not told its decimals. */
export function amountParts(raw: bigint, token: Token | undefined, places?: number): { figure: string; unit: string } {
  if (token?.decimals === undefined) return { figure: token ? String(raw) : "…", unit: token ? `raw ${token.symbol}` : "" };
  return { figure: formatCoin(raw, { decimals: token.decimals, ...(places === undefined ? {} : { places }) }), unit: token.symbol };
}
