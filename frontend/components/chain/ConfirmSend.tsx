"use client";
import { type ContractCall, currentFees } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { TransactionReceipt } from "viem";
import { Button } from "@/components/ui/Button.tsx";
import { Dialog } from "@/components/ui/Dialog.tsx";
import { Fact, Facts } from "@/components/ui/Facts.tsx";
import { useSend } from "@/hooks/useSend.ts";
import { useWallet } from "@/hooks/useWallet.ts";
import { estimateGas } from "@/paying/walletCall.ts";
import { useChain } from "@/web3/network.tsx";
import { Amount } from "./Amount.tsx";
import { ErrorNotice } from "./ErrorNotice.tsx";

interface ConfirmSendProps {
  title: string;
  /** Sent one after the other, a wallet prompt each. */
  calls: readonly ContractCall[];
  /** The verb on the button. */
  confirm: string;
  onClose: () => void;
  onDone: (receipts: readonly TransactionReceipt[]) => void;
  /** What it does, before it is sent. */
  children: ReactNode;
}

/** The last look before a transaction: what it does, what it costs, and whether the contract would refuse it. */
export function ConfirmSend({ title, calls, confirm, onClose, onDone, children }: ConfirmSendProps) {
  const chain = useChain();
  const wallet = useWallet();
  const send = useSend(onDone);
  const [first] = calls;
  const fee = useQuery({
    queryKey: ["fee", chain.network.chainId, wallet?.account.address, first?.functionName, first?.args.map(String).join()],
    queryFn: async () => {
      if (!wallet || !first) return undefined;
      const { address } = wallet.account;
      const [gas, { expected }, balance] = await Promise.all([
        estimateGas(chain, wallet, first),
        currentFees(chain),
        chain.client.getBalance({ address }),
      ]);
      const cost = gas * expected;
      if (balance < cost + (first.value ?? 0n)) throw new AppError("WALLET_UNFUNDED", "The wallet cannot pay for this transaction.");
      return cost;
    },
    enabled: wallet !== undefined && first !== undefined && !send.isPending && !send.isSuccess,
    retry: false,
    gcTime: 0,
  });
  const refusal = send.error ?? fee.error;
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button look="quiet" onClick={onClose} disabled={send.isPending}>
            Not now
          </Button>
          <Button onClick={() => send.mutate(calls)} disabled={send.isPending || !wallet || !first || Boolean(fee.error)}>
            {send.isPending ? "Waiting for wallet and chain…" : confirm}
          </Button>
        </>
      }
    >
      {children}
      <Facts className="mt-3">
        <Fact name={calls.length > 1 ? "Gas of the first transaction, about" : "Gas, about"}>
          {fee.data === undefined ? fee.error ? "refused" : "…" : <Amount raw={fee.data} />}
        </Fact>
        {calls.length > 1 && <Fact name="Wallet prompts">{calls.length}</Fact>}
      </Facts>
      {!wallet && <p className="mt-3 text-sm text-warn">Your wallet is on another network: switch it first.</p>}
      {refusal && (
        <div className="mt-4">
          <ErrorNotice error={refusal} />
        </div>
      )}
    </Dialog>
  );
}
