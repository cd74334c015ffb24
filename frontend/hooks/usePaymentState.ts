"use client";
import { readStream } from "@clawcompute/lib/chain";
import { skipToken, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Conversation } from "@/paying/conversation.ts";
import type { Desk, Phase } from "@/paying/desk.ts";
import { wayOf } from "@/paying/ways.ts";
import { useChain } from "@/web3/network.tsx";

/** Keeps a conversation's payment as the chain has it: it may be ended or topped up on another page, or by somebody else. */
export function usePaymentState(desk: Desk | undefined, { id, payment }: Conversation, phase: Phase): void {
  const chain = useChain();
  const { data } = useQuery({
    queryKey: ["payment", chain.network.chainId, payment?.kind, payment?.id],
    queryFn: payment
      ? async () => {
          const isOpen = await wayOf(payment).isOpen(chain, payment);
          const stream = isOpen && payment.kind === "stream" ? await readStream(chain, BigInt(payment.id)) : undefined;
          return { of: payment.id, isOpen, ...(stream ? { end: stream.end } : {}) };
        }
      : skipToken,
    refetchInterval: 4000,
  });
  useEffect(() => {
    if (!payment || data?.of !== payment.id || phase !== "idle") return;
    if (!data.isOpen) {
      const ending = { kind: "gone", asset: payment.asset, paid: 0n, refunded: 0n, hash: undefined, overclaimed: false } as const;
      desk?.observe(id, { kind: "ended", ending });
    } else if (data.end !== undefined && data.end !== payment.end) {
      const deposit = String(BigInt(payment.ratePerSecond) * BigInt(data.end - payment.start));
      desk?.observe(id, { kind: "topped up", end: data.end, deposit });
    }
  }, [desk, id, payment, data, phase]);
}
