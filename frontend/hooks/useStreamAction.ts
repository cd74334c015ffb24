"use client";
import { AppError } from "@clawcompute/lib/errors";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Payer } from "@/paying/payment.ts";
import { useChain } from "@/web3/network.tsx";
import { useWallet } from "./useWallet.ts";

/** Something that the wallet is asked for; afterwards everything is read again. */
export function useStreamAction<Input, Output>(act: (input: Input, payer: Payer) => Promise<Output>) {
  const chain = useChain();
  const wallet = useWallet();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (input: Input) => {
      if (!wallet) throw new AppError("WALLET_MISSING", "The wallet is not on this chain.", { hint: "Switch the network in your wallet." });
      return act(input, { chain, wallet });
    },
    onSettled: () => client.invalidateQueries(),
  });
}
