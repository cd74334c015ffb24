"use client";
import type { ContractCall } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { TransactionReceipt } from "viem";
import { sendByWallet } from "@/paying/walletCall.ts";
import { useChain } from "@/web3/network.tsx";
import { useWallet } from "./useWallet.ts";

/**
 * Sends transactions one after the other, each simulated first; resolves with their receipts. Everything shown is read again
 * afterwards, also when it failed: the chain knows better than this page.
 */
export function useSend(onDone?: (receipts: readonly TransactionReceipt[]) => void) {
  const chain = useChain();
  const wallet = useWallet();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (calls: readonly ContractCall[]) => {
      if (!wallet)
        throw new AppError("WALLET_MISSING", "No wallet is connected on this chain.", { hint: "Connect one, or switch its network." });
      const receipts: TransactionReceipt[] = [];
      for (const call of calls) receipts.push(await sendByWallet(chain, wallet, call));
      return receipts;
    },
    onSuccess: onDone,
    onSettled: () => client.invalidateQueries(),
  });
}
