"use client";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import type { Address } from "viem";
import { tokenQuery } from "@/queries/tokens.ts";
import { useChain } from "@/web3/network.tsx";
import { formatCoin, movingPlaces } from "./formatCoin.ts";

interface MovingAmountProps {
  /** The amount at a `performance.now()`; asked on every frame, outside of React. */
  at: (now: number) => bigint;
  asset: Address;
  ratePerSecond: bigint;
  className?: string;
  unitClassName?: string;
  testId?: string;
}

/**
 * An amount that moves with time, on every frame; twice a second where motion is not wanted. It is written straight into its text, with
 * a fixed number of places in figures of one width, so that nothing around it moves. Readers aloud get the unit, not a flood of figures.
 */
export function MovingAmount({ at, asset, ratePerSecond, className = "", unitClassName = "", testId }: MovingAmountProps) {
  const { data: token } = useQuery(tokenQuery(useChain(), asset));
  const text = useRef<HTMLSpanElement>(null);
  const latest = useRef(at);
  latest.current = at;
  const decimals = token ? (token.decimals ?? 0) : 18;
  const places = decimals === 0 ? 0 : Math.min(decimals, movingPlaces(ratePerSecond, decimals) + 1);
  useEffect(() => {
    const write = () => {
      const node = text.current;
      const next = formatCoin(latest.current(performance.now()), { decimals, places });
      if (node && node.textContent !== next) node.textContent = next;
    };
    write();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      const timer = setInterval(write, 500);
      return () => clearInterval(timer);
    }
    let frame = requestAnimationFrame(function tick() {
      write();
      frame = requestAnimationFrame(tick);
    });
    return () => cancelAnimationFrame(frame);
  }, [decimals, places]);
  return (
    <span className={`whitespace-nowrap tabular-nums ${className}`}>
      <span ref={text} {...(testId ? { "data-testid": testId } : {})} />{" "}
      <span className={`font-normal text-soft ${unitClassName}`}>{token?.symbol ?? "…"}</span>
    </span>
  );
}
