"use client";
import { decodeSignedReceipt, type Receipt } from "@clawcompute/lib/protocol";
import type { ReactNode } from "react";
import type { Address } from "viem";
import { Amount } from "@/components/chain/Amount.tsx";
import { untrusted } from "@/components/chain/untrusted.ts";
import { Button } from "@/components/ui/Button.tsx";
import { Dialog } from "@/components/ui/Dialog.tsx";
import { VerifiedIcon } from "@/components/ui/icons.tsx";
import { toast } from "@/components/ui/Toast.tsx";
import type { KeptReceipt } from "@/paying/conversation.ts";
import { saveFile } from "./saveFile.ts";

/** Undefined where what was kept is none any more. */
export function receiptOf({ signed }: KeptReceipt): Receipt | undefined {
  try {
    return decodeSignedReceipt(signed).receipt;
  } catch {
    return undefined;
  }
}

interface ReceiptDialogProps {
  receipt: KeptReceipt;
  asset: Address | undefined;
  onClose: () => void;
}

/** What the provider signed about one answer. */
export function ReceiptDialog({ receipt: kept, asset, onClose }: ReceiptDialogProps) {
  const { receipt, signer, signature } = decodeSignedReceipt(kept.signed);
  const seconds = (ms: number) => `${(ms / 1000).toFixed(3)} s`;
  const token = asset ? { asset } : {};
  const save = () => {
    const file = `receipt-${receipt.requestId.replace(/[^\w-]/g, "").slice(0, 40)}.json`;
    saveFile(file, `${JSON.stringify(kept.signed, undefined, 2)}\n`, "application/json");
    toast(`Saved ${file}`);
  };
  return (
    <Dialog
      title="Receipt"
      onClose={onClose}
      actions={
        <Button look="quiet" onClick={save}>
          Save as JSON
        </Button>
      }
    >
      <p className="flex items-start gap-2.5 rounded-xl bg-money-soft p-3.5 text-sm">
        <VerifiedIcon className="mt-0.5 size-4 text-money" />
        <span>
          <strong className="font-medium">Verified here.</strong> Signature, payment, order, sums, the time on this page's own watch and the
          hash of every word that arrived agree with it.
        </span>
      </p>
      <dl className="mt-4 divide-y divide-line text-sm">
        <Row name="Amount">
          <Amount raw={receipt.amount} {...token} className="font-medium" />
        </Row>
        <Row name="Served">{seconds(receipt.servedMs)}</Row>
        <Row name="First token after">{receipt.firstTokenAtMs ? seconds(receipt.firstTokenAtMs - receipt.startedAtMs) : "none came"}</Row>
        <Row name="Units in, out">
          {receipt.unitsIn}, {receipt.unitsOut}
        </Row>
        <Row name="Ended by">{receipt.reason.replaceAll("_", " ")}</Row>
        <Row name="Model">
          {untrusted(receipt.model)}, provider {receipt.providerId}
        </Row>
        <Row name="So far on this payment">
          {seconds(receipt.cumulativeServedMs)}, <Amount raw={receipt.cumulativeAmount} {...token} />
        </Row>
        <Row name="Receipt's hash" mono>
          {kept.hash}
        </Row>
        <Row name="Body's SHA-256" mono>
          {receipt.bodyHash}
        </Row>
        <Row name="Receipt before it" mono>
          {receipt.previousReceiptHash}
        </Row>
        <Row name="Signed by" mono>
          {signer}
        </Row>
        <Row name="Signature" mono>
          {signature}
        </Row>
      </dl>
    </Dialog>
  );
}

function Row({ name, mono = false, children }: { name: string; mono?: boolean; children: ReactNode }) {
  return (
    <div className="grid gap-x-6 gap-y-0.5 py-2 sm:grid-cols-[10rem_1fr]">
      <dt className="text-soft">{name}</dt>
      <dd className={`min-w-0 tabular-nums ${mono ? "break-all font-mono text-xs leading-5" : ""}`}>{children}</dd>
    </div>
  );
}
