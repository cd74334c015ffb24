"use client";
import { useEffect, useState } from "react";
import { type MeasuredSpeed, speedOf } from "@/queries/measured.ts";
import { useNetwork } from "@/web3/network.tsx";

/** How quick a provider was in the conversations that this browser keeps; undefined when it was never asked here. */
export function useMeasuredSpeed(providerId: number): MeasuredSpeed | undefined {
  const { chainId } = useNetwork();
  const [speed, setSpeed] = useState<MeasuredSpeed>();
  useEffect(() => {
    const keys = Array.from({ length: localStorage.length }, (_, index) => localStorage.key(index) ?? "");
    const texts = keys.filter((key) => key.startsWith(`clawcompute.chat.${chainId}.`)).map((key) => localStorage.getItem(key) ?? "");
    setSpeed(speedOf(texts, providerId));
  }, [chainId, providerId]);
  return speed;
}
