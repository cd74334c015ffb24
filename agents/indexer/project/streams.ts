import type { indexerStreams } from "@clawcompute/lib/store";
import { addressIn, amountIn, beginningMissing, type Entry, numberIn } from "../entry.ts";
import type { BatchTransaction, Book } from "./book.ts";

export type StreamRow = typeof indexerStreams.$inferSelect;
type BatchOf = (entry: Entry) => BatchTransaction | undefined;

/**
 * The stream after one more of its events; the sums that the event changes go to `book`. Times come from the contract's arithmetic:
 * every payment moves `lastPaid` by what it paid for. `batchOf` finds a keeper's transaction; undefined leaves the action out.
 */
export function foldStream(row: StreamRow | undefined, entry: Entry, book: Book, batchOf: BatchOf): StreamRow {
  const { args, at } = entry;
  if (entry.name === "StreamCreated") return opened(entry, book);
  if (!row) beginningMissing(entry);
  const { asset, providerId, ratePerSecond: rate, id, payer, payee } = row;
  const parties = { streamId: id, channelId: null, providerId, payer, payee, asset };
  const soldMs = (amount: bigint) => (amount * 1000n) / rate;

  switch (entry.name) {
    case "StreamToppedUp": {
      book.add(entry, asset, providerId, { deposited: amountIn(args, "amount") });
      return { ...row, end: numberIn(args, "end") };
    }
    case "StreamWithdrawn": {
      const paid = amountIn(args, "amount");
      const lastPaid = row.lastPaid + Number(paid / rate);
      const closes = lastPaid >= row.end;
      book.add(entry, asset, providerId, { paid, soldMs: soldMs(paid), payments: 1, streamsClosed: closes ? 1 : 0 });
      if (closes) book.settlement(entry, { kind: "withdrawn", ...parties, paid, rewards: 0n, refunded: 0n });
      return { ...row, lastPaid, paid: row.paid + paid, ...(closes ? { closedAt: at, closedHow: "withdrawn" } : {}) };
    }
    case "StreamUpdated": {
      const [accrued, reward, completed] = [amountIn(args, "accrued"), amountIn(args, "reward"), args.completed === true];
      const paid = accrued - reward;
      book.add(entry, asset, providerId, { paid, rewards: reward, soldMs: soldMs(accrued), payments: 1, streamsClosed: completed ? 1 : 0 });
      const transaction = batchOf(entry);
      if (transaction) book.keeperUpdate(entry, asset, { accrued, reward, completed }, transaction);
      if (completed) book.settlement(entry, { kind: "completed", ...parties, paid, rewards: reward, refunded: 0n });
      const lastPaid = row.lastPaid + Number(accrued / rate);
      const closing = completed ? { closedAt: at, closedHow: "completed" } : {};
      return { ...row, lastPaid, paid: row.paid + paid, rewards: row.rewards + reward, ...closing };
    }
    case "StreamCancelled":
    case "StreamSettled":
    case "StreamRedirected": {
      const kind = { StreamCancelled: "cancelled", StreamSettled: "settled", StreamRedirected: "redirected" }[entry.name];
      const [paid, refunded] = [amountIn(args, "paid"), amountIn(args, "refunded")];
      // What moved on was counted as a deposit when its new stream began.
      const deposited = entry.name === "StreamRedirected" ? -amountIn(args, "moved") : 0n;
      book.add(entry, asset, providerId, {
        paid,
        refunded,
        deposited,
        soldMs: soldMs(paid),
        payments: paid > 0n ? 1 : 0,
        streamsClosed: 1,
      });
      book.settlement(entry, { kind, ...parties, paid, rewards: 0n, refunded });
      const successor = entry.name === "StreamRedirected" ? amountIn(args, "newId") : null;
      return { ...row, paid: row.paid + paid, refunded: row.refunded + refunded, closedAt: at, closedHow: kind, successor };
    }
    default:
      return row;
  }
}

function opened(entry: Entry, book: Book): StreamRow {
  const { chainId, args } = entry;
  const [asset, providerId, start, end] = [
    addressIn(args, "asset"),
    numberIn(args, "providerId"),
    numberIn(args, "start"),
    numberIn(args, "end"),
  ];
  const ratePerSecond = amountIn(args, "ratePerSecond");
  book.add(entry, asset, providerId, { streamsOpened: 1, deposited: ratePerSecond * BigInt(end - start) });
  return {
    chainId,
    id: amountIn(args, "id"),
    payer: addressIn(args, "payer"),
    payee: addressIn(args, "payee"),
    asset,
    ratePerSecond,
    start,
    end,
    lastPaid: start,
    providerId,
    serviceType: numberIn(args, "serviceType"),
    paid: 0n,
    rewards: 0n,
    refunded: 0n,
    closedAt: null,
    closedHow: null,
    successor: null,
  };
}
