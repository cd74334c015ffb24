"use client";
import type { StreamState } from "@clawcompute/lib/chain";
import { useStreamAction } from "./useStreamAction.ts";

/** Ends a stream, with the provider's settlement where it gives one; "by the clock" asks nobody. */
export const useEndStream = () =>
  useStreamAction(async ({ stream, byClock = false }: { stream: StreamState; byClock?: boolean }, payer) => {
    const [{ endFoundStream }, { cancelByWallet }, { keptTokens }] = await Promise.all([
      import("@/paying/streamWay.ts"),
      import("@/paying/endStream.ts"),
      import("@/paying/keptConversations.ts"),
    ]);
    if (byClock) return cancelByWallet(payer, stream);
    const { chainId } = payer.chain.network;
    return endFoundStream(payer, stream, keptTokens(localStorage, chainId, payer.wallet.account.address).get(String(stream.id)));
  });
