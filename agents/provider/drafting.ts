import { costDown } from "@clawcompute/lib/money";
import {
  type Domain,
  type EndReason,
  hashReceipt,
  paymentOfStream,
  type Receipt,
  type SignedReceipt,
  type Signer,
  signReceipt,
} from "@clawcompute/lib/protocol";
import type { Hex } from "viem";
import type { MeterState } from "./metering.ts";

/** What an answer was, when it is over. Times are unix ms. */
export interface AnswerRecord {
  readonly requestId: string;
  readonly providerId: number;
  readonly model: string;
  readonly startedAtMs: number;
  readonly firstTokenAtMs: number;
  readonly endedAtMs: number;
  /** Up to here its time is charged; undefined: not at all. */
  readonly chargedUntilMs: number | undefined;
  /** Up to here its time is in the store already. */
  readonly storedUntilMs: number;
  readonly unitsIn: number;
  readonly unitsOut: number;
  readonly bodyHash: Hex;
  readonly reason: EndReason;
}

export interface StreamTerms {
  readonly id: bigint;
  readonly ratePerSecond: bigint;
  /** What the money is kept in; by default a stream. */
  readonly kind?: Receipt["kind"];
}

/** One answer that has ended and waits for its receipt. */
export interface Closing {
  readonly stream: StreamTerms;
  readonly answer: AnswerRecord;
}

/** A receipt that follows `meter`, signed but not kept yet. */
export interface Drafted extends Closing {
  readonly meter: MeterState;
  readonly signed: SignedReceipt;
  readonly hash: Hex;
}

/** Makes an answer's receipt as the next one after `meter`, in which the answer's time is counted. */
export type Draft = (closing: Closing, meter: MeterState) => Promise<Drafted>;

export interface DraftOptions {
  readonly domain: Domain;
  readonly signer: Signer & { readonly sign?: (digest: { hash: Hex }) => Promise<Hex> };
}

export function createDraft({ domain, signer }: DraftOptions): Draft {
  return async ({ stream, answer }, meter) => {
    // Each served millisecond is claimed by one receipt: by the first answer to end of those that ran through it.
    const own = answer.chargedUntilMs === undefined ? 0 : answer.chargedUntilMs - answer.startedAtMs;
    const claimed = meter.settledOwed === null ? Math.max(0, Math.min(own, meter.servedMs - meter.claimedMs)) : 0;
    const cumulativeServedMs = meter.claimedMs + claimed;
    const cumulativeAmount = costDown(stream.ratePerSecond, cumulativeServedMs);
    const { chargedUntilMs: _, storedUntilMs: __, ...shown } = answer;
    const receipt: Receipt = {
      kind: stream.kind ?? "stream",
      payment: paymentOfStream(stream.id),
      ...shown,
      servedMs: claimed,
      amount: cumulativeAmount - costDown(stream.ratePerSecond, meter.claimedMs),
      cumulativeServedMs,
      cumulativeAmount,
      previousReceiptHash: meter.lastReceiptHash,
    };
    const hash = hashReceipt(domain, receipt);
    // The hash is what is signed; whoever can sign it need not make it again.
    const signature = await (signer.sign?.({ hash }) ?? signReceipt(signer, domain, receipt));
    return { stream, answer, meter, signed: { receipt, signature, signer: signer.address }, hash };
  };
}
