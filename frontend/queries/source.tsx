"use client";
import type { Chain } from "@clawcompute/lib/chain";
import type { CoinPrice } from "@clawcompute/lib/config/dashboard";
import { AppError } from "@clawcompute/lib/errors";
import type { IndexerClient } from "@clawcompute/lib/indexer";
import { queryOptions } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useMemo } from "react";
import { useChain } from "@/web3/network.tsx";
import type { PageSettings } from "@/web3/runtimeNetwork.ts";

export type IndexerReader = Pick<IndexerClient, "get">;

/** Where pages read from: the chain always, an indexer where there is one. */
export interface Source {
  readonly chain: Chain;
  readonly indexer: IndexerReader | undefined;
  /** For conversions; nothing is looked up. */
  readonly coinPrice: CoinPrice | undefined;
  readonly walletConnectProjectId?: string | undefined;
}

/** Its code, with the checks of every answer, is loaded with the first question. */
function indexerWhenAsked(): IndexerReader {
  let client: Promise<IndexerClient> | undefined;
  return {
    get: async (...question) => {
      client ??= import("@clawcompute/lib/indexer").then((made) => made.createIndexerClient({ url: "/api/indexer", timeoutMs: 8000 }));
      return (await client).get(...question);
    },
  };
}

const SourceContext = createContext<Source | undefined>(undefined);

export function SourceProvider({ settings, children }: { settings: PageSettings; children: ReactNode }) {
  const chain = useChain();
  const { hasIndexer, coinPrice, walletConnectProjectId } = settings;
  const source = useMemo(
    () => ({
      chain,
      coinPrice,
      walletConnectProjectId,
      indexer: hasIndexer ? indexerWhenAsked() : undefined,
    }),
    [chain, coinPrice, hasIndexer, walletConnectProjectId],
  );
  return <SourceContext value={source}>{children}</SourceContext>;
}

export function useSource(): Source {
  const source = use(SourceContext);
  if (!source) throw new Error("useSource outside of SourceProvider");
  return source;
}

/** How often what the chain may change is read again, in ms. */
export const refresh = (chain: Chain) => Math.max(3000, chain.network.blockTimeMs * 3);

const MOST_BLOCKS_BEHIND = 30;

export type Standing =
  | { readonly by: "indexer"; readonly block: number }
  /** `why`: there is none, it does not answer, it is of another chain, or it is too far behind to be believed. */
  | { readonly by: "chain"; readonly why: "none" | "silent" | "other chain" | "behind"; readonly blocksBehind?: number };

/** Whether the indexer can be believed just now. */
export async function standingOf({ chain, indexer }: Source): Promise<Standing> {
  if (!indexer) return { by: "chain", why: "none" };
  try {
    const { chainId, status, block, lagBlocks } = await indexer.get("health", {});
    if (chainId !== chain.network.chainId) return { by: "chain", why: "other chain" };
    if (status === "degraded") return { by: "chain", why: "silent" };
    if (lagBlocks === null || lagBlocks > MOST_BLOCKS_BEHIND)
      return { by: "chain", why: "behind", ...(lagBlocks === null ? {} : { blocksBehind: lagBlocks }) };
    return { by: "indexer", block };
  } catch {
    return { by: "chain", why: "silent" };
  }
}

export const standingQuery = (source: Source) =>
  queryOptions({
    queryKey: ["standing", source.chain.network.chainId, source.indexer !== undefined],
    queryFn: () => standingOf(source),
    refetchInterval: 10_000,
  });

const standings = new WeakMap<Source, { at: number; standing: Promise<Standing> }>();

/** Asks the indexer where it can be believed, and the chain otherwise, also when the indexer fails meanwhile. */
export async function fromEither<T>(
  source: Source,
  viaIndexer: (indexer: IndexerReader) => Promise<T>,
  viaChain: () => Promise<T>,
): Promise<T> {
  const { indexer } = source;
  if (!indexer) return viaChain();
  let known = standings.get(source);
  if (!known || performance.now() - known.at > 3000) {
    known = { at: performance.now(), standing: standingOf(source) };
    standings.set(source, known);
  }
  if ((await known.standing).by === "chain") return viaChain();
  try {
    return await viaIndexer(indexer);
  } catch (thrown) {
    if (AppError.from(thrown).code === "ABORTED") throw thrown;
    return viaChain();
  }
}
