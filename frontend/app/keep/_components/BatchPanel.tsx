"use client";
import { streamEventsOf, streamPayWrites } from "@clawcompute/lib/chain";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { TransactionReceipt } from "viem";
import { useAccount } from "wagmi";
import { Amount } from "@/components/chain/Amount.tsx";
import { ConfirmSend } from "@/components/chain/ConfirmSend.tsx";
import { ErrorNotice } from "@/components/chain/ErrorNotice.tsx";
import { TxLink } from "@/components/chain/TxLink.tsx";
import { Worth } from "@/components/chain/Worth.tsx";
import { Button } from "@/components/ui/Button.tsx";
import { Fact, Facts } from "@/components/ui/Facts.tsx";
import { Notice } from "@/components/ui/Notice.tsx";
import { Panel } from "@/components/ui/Panel.tsx";
import { type BatchPreview, batchPreviewQuery } from "@/queries/keeper.ts";
import { useChain } from "@/web3/network.tsx";

interface Sent {
  readonly hash: TransactionReceipt["transactionHash"];
  readonly streams: number;
  readonly reward: bigint;
  readonly gasCost: bigint;
}

/** What the chosen streams would bring as one transaction, by the contract's own preview and a simulation. */
export function BatchPanel({ ids, onSent }: { ids: readonly bigint[]; onSent: () => void }) {
  const chain = useChain();
  const { address } = useAccount();
  const { data: preview, error } = useQuery({ ...batchPreviewQuery(chain, ids, address), placeholderData: keepPreviousData });
  // A batch that is being confirmed does not change under the eyes.
  const [asked, setAsked] = useState<readonly bigint[]>();
  const [sent, setSent] = useState<Sent>();
  const shown = ids.length > 0 ? preview : undefined;
  const isLoss = shown !== undefined && shown.profit <= 0n;
  const done = ([receipt]: readonly TransactionReceipt[]) => {
    setAsked(undefined);
    if (receipt) setSent(sentBy(receipt));
    onSent();
  };
  return (
    <Panel title="The batch">
      <BatchFacts count={ids.length} preview={shown} />
      {error && (
        <div className="mt-3">
          <ErrorNotice error={error} />
        </div>
      )}
      {isLoss && <p className="mt-2 text-pretty text-sm text-warn">The gas costs more than the reward: sending it loses money.</p>}
      <Button className="mt-4 w-full" disabled={!address || !shown} onClick={() => setAsked(ids)}>
        Send the batch
      </Button>
      {sent && (
        <div className="mt-4" data-testid="sent">
          <Notice
            title={
              sent.streams === 0 ? "Another keeper was faster" : `${sent.streams} ${sent.streams === 1 ? "stream" : "streams"} updated`
            }
          >
            <p>
              Reward <Amount raw={sent.reward} />, gas <Amount raw={sent.gasCost} />
            </p>
            <TxLink hash={sent.hash} />
          </Notice>
        </div>
      )}
      {asked && (
        <ConfirmSend
          title={`Update ${asked.length} ${asked.length === 1 ? "stream" : "streams"}`}
          confirm="Send the batch"
          calls={[streamPayWrites.batchUpdateStreams(asked)]}
          onClose={() => setAsked(undefined)}
          onDone={done}
        >
          <BatchFacts count={asked.length} preview={shown} />
          <p className="mt-2 text-pretty text-soft text-sm">
            When another keeper's batch comes first, yours finds nothing left and costs its gas. Streams that are gone by then are skipped.
          </p>
        </ConfirmSend>
      )}
    </Panel>
  );
}

function BatchFacts({ count, preview }: { count: number; preview: BatchPreview | undefined }) {
  return (
    <Facts className="mt-2">
      <Fact name="Streams">
        {count}
        {preview && preview.completes > 0 && <span className="text-soft">, {preview.completes} of them to their end</span>}
      </Fact>
      <Fact name="Reward">{preview ? <Amount raw={preview.nativeReward} /> : "…"}</Fact>
      <Fact name="Gas, about">{preview ? <Amount raw={preview.gasCost} /> : "…"}</Fact>
      <Fact name="Left for you">
        {preview ? (
          <span className={`font-medium ${preview.profit > 0n ? "text-money" : "text-warn"}`}>
            {preview.profit < 0n && "−"}
            <Amount raw={preview.profit < 0n ? -preview.profit : preview.profit} />
            {preview.profit > 0n && <Worth raw={preview.profit} className="block" />}
          </span>
        ) : (
          "…"
        )}
      </Fact>
    </Facts>
  );
}

function sentBy(receipt: TransactionReceipt): Sent {
  const updates = streamEventsOf(receipt).filter((event) => event.eventName === "StreamUpdated");
  const reward = updates.reduce((sum, { args }) => sum + args.reward, 0n);
  const { transactionHash: hash, gasUsed, effectiveGasPrice } = receipt;
  return { hash, streams: updates.length, reward, gasCost: gasUsed * effectiveGasPrice };
}
