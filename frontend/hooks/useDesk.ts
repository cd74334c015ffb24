"use client";
import type { Chain } from "@clawcompute/lib/chain";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { Desk, type DeskState } from "@/paying/desk.ts";
import { keptConversations } from "@/paying/keptConversations.ts";
import { useChain } from "@/web3/network.tsx";

// Beside React: an answer goes on while another page is shown.
const desks = new Map<string, Desk>();
const nothing: DeskState = { conversations: [], activities: new Map() };
const noDesk = { subscribe: () => () => {}, snapshot: () => nothing };

export function deskOf(chain: Chain, payer: string): Desk {
  const { chainId, contracts } = chain.network;
  const key = `${chainId}.${contracts.streamPay}.${payer.toLowerCase()}`;
  let desk = desks.get(key);
  if (!desk) {
    desk = new Desk(chain, keptConversations(localStorage, chainId, payer));
    addEventListener("pagehide", desk.flush);
    desks.set(key, desk);
  }
  return desk;
}

/** The conversations of a payer; undefined until one is connected. */
export function useDesk(payer: string | undefined): { desk: Desk | undefined; state: DeskState } {
  const chain = useChain();
  const desk = useMemo(() => (payer && typeof window !== "undefined" ? deskOf(chain, payer) : undefined), [chain, payer]);
  const { subscribe, snapshot } = desk ?? noDesk;
  const state = useSyncExternalStore(subscribe, snapshot, () => nothing);
  useEffect(() => desk?.flush, [desk]);
  return { desk, state };
}
