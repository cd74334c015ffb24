"use client";
import { useState } from "react";
import { Amount } from "@/components/chain/Amount.tsx";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { Button } from "@/components/ui/Button.tsx";
import { Dialog } from "@/components/ui/Dialog.tsx";
import { RadioRow } from "@/components/ui/RadioRow.tsx";
import { toast } from "@/components/ui/Toast.tsx";
import { useStreamAction } from "@/hooks/useStreamAction.ts";
import type { OwnStream } from "@/queries/streams.ts";

const lengths = [
  { value: 60, name: "1 min" },
  { value: 300, name: "5 min" },
  { value: 900, name: "15 min" },
  { value: 3600, name: "1 h" },
];

export function TopUpDialog({ stream, onClose }: { stream: OwnStream; onClose: () => void }) {
  const [seconds, setSeconds] = useState(60);
  const amount = stream.ratePerSecond * BigInt(seconds);
  const topUp = useStreamAction(async (value: bigint, payer) => {
    const { topUpByWallet } = await import("@/paying/changeStream.ts");
    await topUpByWallet(payer, stream, value);
    toast(`Stream ${stream.id} is topped up`);
    onClose();
  });
  return (
    <Dialog
      title={`Top up stream ${stream.id}`}
      onClose={onClose}
      width="s"
      actions={
        <Button onClick={() => topUp.mutate(amount)} disabled={topUp.isPending}>
          {topUp.isPending ? "Waiting for your wallet…" : "Top up"}
        </Button>
      }
    >
      <RadioRow legend="It lasts longer by" value={seconds} onChange={setSeconds} options={lengths} disabled={topUp.isPending} />
      <p className="mt-4 flex justify-between text-sm">
        <span className="text-soft">Costs</span>
        <Amount raw={amount} asset={stream.asset} className="font-medium" />
      </p>
      <p className="mt-3 text-pretty text-soft text-sm">At the stream's own price, whatever the provider asks of others by now.</p>
      {topUp.error && (
        <div className="mt-4">
          <ErrorNotice error={topUp.error} />
        </div>
      )}
    </Dialog>
  );
}
