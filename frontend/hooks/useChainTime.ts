"use client";
import { chainTimeMs } from "@clawcompute/lib/chain";
import { useQuery } from "@tanstack/react-query";
import { useChain } from "@/web3/network.tsx";

/** Chain time, in unix ms, at a `performance.now()`: the newest block's, moved on by this machine's clock. Undefined until known. */
export function useChainTime(): ((now: number) => number) | undefined {
  const chain = useChain();
  const { data } = useQuery({
    queryKey: ["chain time", chain.network.chainId],
    queryFn: async () => ({ chainMs: await chainTimeMs(chain), at: performance.now() }),
    refetchInterval: 5000,
  });
  return data && ((now) => data.chainMs + Math.max(0, now - data.at));
}
