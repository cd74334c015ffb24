import { streamPayAbi } from "@clawcompute/lib/abi";
import { type Chain, type StreamEvent, streamEventsOf } from "@clawcompute/lib/chain";
import { formatLog, type Hash, numberToHex, parseEventLogs, type TransactionReceipt } from "viem";
import type { OpenStream, PaymentTransaction, TransactionKind } from "./payment.ts";

export interface BilledTransaction {
  readonly kind: TransactionKind;
  readonly streamId: bigint;
  readonly hash: Hash;
  readonly gasUsed: bigint;
  readonly feeWei: bigint;
  readonly explorerUrl: string | undefined;
}

/** What a request cost. Amounts are sums of the contract's events, never estimates: `paid + refunded = deposit`. */
export interface Bill {
  readonly depositWei: bigint;
  /** Became the providers', a keeper's share included. */
  readonly paidWei: bigint;
  /** Came back to the payer; gas is not part of it. */
  readonly refundedWei: bigint;
  readonly gasUsed: bigint;
  readonly feeWei: bigint;
  readonly transactions: readonly BilledTransaction[];
}

/** What one stream's events say. */
export interface StreamLedger {
  readonly deposit: bigint;
  readonly paid: bigint;
  readonly refunded: bigint;
  /** Went on into another stream by a redirect. */
  readonly moved: bigint;
}

/** The bill for streams of one request, after the last of them was ended. A stream that is still open counts as not paid yet. */
export async function makeBill(chain: Chain, streams: readonly OpenStream[], transactions: readonly PaymentTransaction[]): Promise<Bill> {
  const receipts = transactions.map(({ sent }) => sent.receipt);
  const ledgers = await Promise.all(streams.map((stream) => ledgerOf(chain, stream, receipts)));
  const sum = (pick: (ledger: StreamLedger) => bigint) => ledgers.reduce((total, ledger) => total + pick(ledger), 0n);
  return {
    depositWei: sum(({ deposit }) => deposit) - sum(({ moved }) => moved),
    paidWei: sum(({ paid }) => paid),
    refundedWei: sum(({ refunded }) => refunded),
    ...costsOf(chain, transactions),
  };
}

/** What transactions cost, each and together. */
export const costsOf = (chain: Chain, transactions: readonly PaymentTransaction[]) => ({
  gasUsed: transactions.reduce((total, { sent }) => total + sent.gasUsed, 0n),
  feeWei: transactions.reduce((total, { sent }) => total + sent.feeWei, 0n),
  transactions: transactions.map(({ kind, streamId, sent }) => ({
    kind,
    streamId,
    hash: sent.hash,
    gasUsed: sent.gasUsed,
    feeWei: sent.feeWei,
    explorerUrl: explorerUrlOf(chain, sent.hash),
  })),
});

/** What became the provider's and keepers' on one stream, whoever sent the transactions. */
export async function paidOn(chain: Chain, stream: OpenStream, transactions: readonly PaymentTransaction[]): Promise<bigint> {
  return (
    await ledgerOf(
      chain,
      stream,
      transactions.map(({ sent }) => sent.receipt),
    )
  ).paid;
}

/** What providers got so far, by our own transactions; for caps while a request moves from one provider to the next. */
export function paidSoFar(chain: Chain, streams: readonly OpenStream[], transactions: readonly PaymentTransaction[]): bigint {
  const events = transactions.flatMap(({ sent }) => streamEventsOf(sent.receipt, chain));
  return streams.reduce((total, { id }) => total + addUp(id, events).paid, 0n);
}

export const explorerUrlOf = ({ network }: Chain, hash: Hash): string | undefined =>
  network.explorerUrl === undefined ? undefined : `${network.explorerUrl}/tx/${hash}`;

/** Our own receipts, and the chain's logs for what others did to the stream meanwhile; without logs the receipts must do. */
async function ledgerOf(chain: Chain, stream: OpenStream, receipts: readonly TransactionReceipt[]): Promise<StreamLedger> {
  const own = receipts.flatMap((receipt) => streamEventsOf(receipt, chain));
  const logged = await readEvents(chain, stream).catch(() => []);
  const events = new Map([...logged, ...own].map((event) => [`${event.transactionHash} ${event.logIndex}`, event]));
  return addUp(stream.id, [...events.values()]);
}

async function readEvents(chain: Chain, { id, openBlock }: OpenStream): Promise<StreamEvent[]> {
  // Every event about a stream has its id as the first topic.
  const topics = [null, numberToHex(id, { size: 32 })];
  const filter = { address: chain.network.contracts.streamPay, fromBlock: numberToHex(openBlock), toBlock: "latest" as const, topics };
  const logs = await chain.client.request({ method: "eth_getLogs", params: [filter as never] });
  return parseEventLogs({ abi: streamPayAbi, logs: logs.map((log) => formatLog(log)) });
}

/** Sums the events of stream `id`; others are skipped. */
export function addUp(id: bigint, events: readonly StreamEvent[]): StreamLedger {
  let [deposit, paid, refunded, moved] = [0n, 0n, 0n, 0n];
  for (const event of events) {
    if (!("id" in event.args) || event.args.id !== id) continue;
    switch (event.eventName) {
      case "StreamCreated":
        deposit += event.args.ratePerSecond * (event.args.end - event.args.start);
        break;
      case "StreamToppedUp":
        deposit += event.args.amount;
        break;
      case "StreamWithdrawn":
        paid += event.args.amount;
        break;
      case "StreamUpdated":
        paid += event.args.accrued;
        break;
      case "StreamCancelled":
      case "StreamSettled":
        paid += event.args.paid;
        refunded += event.args.refunded;
        break;
      case "StreamRedirected":
        paid += event.args.paid;
        moved += event.args.moved;
        refunded += event.args.refunded;
        break;
    }
  }
  return { deposit, paid, refunded, moved };
}
