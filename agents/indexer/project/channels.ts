import type { indexerChannels } from "@clawcompute/lib/store";
import type { Hex } from "viem";
import { addressIn, amountIn, beginningMissing, type Entry, numberIn, textIn } from "../entry.ts";
import type { Book } from "./book.ts";

export type ChannelRow = typeof indexerChannels.$inferSelect;

/** The provider that a channel's payment was recorded for; 0 = none. */
export type PaidFor = (entry: Entry) => number;

/**
 * Payments of channels name no provider. Where the payee had it recorded, the registry's record follows in the same transaction; the
 * contract lets only the payee's own provider be named. Found by the payment's entry.
 */
export function channelPayments(entries: readonly Entry[]): PaidFor {
  const providers = new Map<Entry, number>();
  let payment: Entry | undefined;
  for (const entry of entries) {
    if (entry.name === "ChannelSettled" || entry.name === "ChannelClosed") payment = entry;
    if (entry.name !== "CompletionRecorded" || entry.transactionHash !== payment?.transactionHash) continue;
    if (numberIn(entry.args, "count") !== 1 || entry.args.earned !== payment.args.paid) continue;
    providers.set(payment, numberIn(entry.args, "id"));
    payment = undefined;
  }
  return (entry) => providers.get(entry) ?? 0;
}

/** The channel after one more of its events; the sums that the event changes go to `book`. */
export function foldChannel(row: ChannelRow | undefined, entry: Entry, book: Book, paidFor: PaidFor): ChannelRow {
  const { args, at } = entry;
  if (entry.name === "ChannelOpened") return opened(entry, book);
  if (!row) beginningMissing(entry);
  const { id, payer, payee, asset } = row;
  const providerId = paidFor(entry);
  const parties = { streamId: null, channelId: id, providerId, payer, payee, asset, rewards: 0n };

  switch (entry.name) {
    case "ChannelToppedUp":
      book.add(entry, asset, 0, { deposited: amountIn(args, "amount") });
      return { ...row, deposit: amountIn(args, "deposit") };
    case "ChannelSettled": {
      const paid = amountIn(args, "paid");
      book.add(entry, asset, 0, { paid, payments: 1 });
      if (providerId > 0) book.attribute(entry, asset, providerId, { paid, payments: 1 });
      book.settlement(entry, { kind: "channel-settled", ...parties, paid, refunded: 0n });
      return { ...row, settled: amountIn(args, "settled") };
    }
    case "CloseRequested":
      return { ...row, withdrawableAt: numberIn(args, "withdrawableAt") };
    case "CloseRequestCancelled":
      return { ...row, withdrawableAt: null };
    case "ChannelClosed": {
      const [paid, refunded] = [amountIn(args, "paid"), amountIn(args, "refunded")];
      book.add(entry, asset, 0, { paid, refunded, payments: paid > 0n ? 1 : 0, channelsClosed: 1 });
      if (providerId > 0) book.attribute(entry, asset, providerId, { paid, payments: 1 });
      book.settlement(entry, { kind: "channel-closed", ...parties, paid, refunded });
      return { ...row, settled: amountIn(args, "settled"), refunded, withdrawableAt: null, closedAt: at };
    }
    default:
      return row;
  }
}

function opened(entry: Entry, book: Book): ChannelRow {
  const { chainId, args, at, blockNumber, logIndex } = entry;
  const [asset, deposit] = [addressIn(args, "token"), amountIn(args, "deposit")];
  book.add(entry, asset, 0, { channelsOpened: 1, deposited: deposit });
  return {
    chainId,
    id: textIn(args, "channelId") as Hex,
    payer: addressIn(args, "payer"),
    payee: addressIn(args, "payee"),
    asset,
    authorizedSigner: addressIn(args, "authorizedSigner"),
    salt: textIn(args, "salt") as Hex,
    deposit,
    settled: 0n,
    refunded: 0n,
    openedAt: at,
    openedBlock: blockNumber,
    openedLog: logIndex,
    withdrawableAt: null,
    closedAt: null,
  };
}
