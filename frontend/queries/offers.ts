import { computeRegistryAbi, streamPayAbi } from "@clawcompute/lib/abi";
import { type Chain, listActiveOffers, readOffer } from "@clawcompute/lib/chain";
import { queryOptions } from "@tanstack/react-query";

const refresh = (chain: Chain) => Math.max(3000, chain.network.blockTimeMs * 3);

export const offersQuery = (chain: Chain) =>
  queryOptions({
    queryKey: ["offers", chain.network.chainId, chain.network.contracts.registry],
    queryFn: () => listActiveOffers(chain),
    refetchInterval: refresh(chain),
  });

export const offerQuery = (chain: Chain, id: number) =>
  queryOptions({
    queryKey: ["offer", chain.network.chainId, chain.network.contracts.registry, id],
    queryFn: () => readOffer(chain, id),
    refetchInterval: refresh(chain),
  });

export interface MarketStats {
  readonly registered: bigint;
  readonly active: bigint;
  readonly streams: bigint;
  readonly block: bigint;
}

export const statsQuery = (chain: Chain) =>
  queryOptions({
    queryKey: ["stats", chain.network.chainId, chain.network.contracts.registry],
    queryFn: async (): Promise<MarketStats> => {
      const { registry, streamPay } = chain.network.contracts;
      const [[registered, active], streams, block] = await Promise.all([
        chain.client.readContract({ address: registry, abi: computeRegistryAbi, functionName: "getRegistryStats" }),
        chain.client.readContract({ address: streamPay, abi: streamPayAbi, functionName: "getProtocolStats" }),
        chain.client.getBlockNumber(),
      ]);
      return { registered, active, streams, block };
    },
    refetchInterval: refresh(chain),
  });
