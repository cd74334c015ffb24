import type { Address, Hash } from "viem";
import type { ChainEvent } from "./journal.ts";

/** What a day, or a provider's day, brought in one asset. */
export interface Sums {
  readonly streamsOpened: number;
  readonly streamsClosed: number;
  readonly channelsOpened: number;
  readonly channelsClosed: number;
  readonly deposited: bigint;
  /** To payees, without keepers' rewards. */
  readonly paid: bigint;
  readonly rewards: bigint;
  readonly refunded: bigint;
  readonly payments: number;
}

export interface Day extends Sums {
  /** Days since 1970-01-01, UTC. */
  readonly day: number;
  readonly asset: Address;
}

export interface StreamEntry {
  readonly id: bigint;
  readonly payer: Address;
  readonly payee: Address;
  readonly asset: Address;
  readonly ratePerSecond: bigint;
  /** Unix seconds, as the other times. */
  readonly start: number;
  readonly end: number;
  readonly lastPaid: number;
  readonly providerId: number;
  readonly paid: bigint;
  readonly refunded: bigint;
  readonly closedAt: number | undefined;
}

/** A keeper's transaction as its events tell it; who sent it and the gas are not among them. Amounts in the native coin. */
export interface BatchEntry {
  readonly hash: Hash;
  readonly blockNumber: number;
  readonly at: number;
  readonly streams: number;
  readonly completed: number;
  readonly reward: bigint;
}

/** What the contracts' events add up to. Streams and channels that began before the journal are not known and left out. */
export interface Ledger {
  readonly streams: ReadonlyMap<string, StreamEntry>;
  readonly days: readonly Day[];
  readonly providerDays: ReadonlyMap<number, readonly Day[]>;
  readonly batches: readonly BatchEntry[];
}

const SECONDS_A_DAY = 86_400;
export const dayOf = (at: number) => Math.floor(at / SECONDS_A_DAY);
const NATIVE: Address = "0x0000000000000000000000000000000000000000";

const noSums: Sums = {
  streamsOpened: 0,
  streamsClosed: 0,
  channelsOpened: 0,
  channelsClosed: 0,
  deposited: 0n,
  paid: 0n,
  rewards: 0n,
  refunded: 0n,
  payments: 0,
};

export function addSums<T extends Sums>(to: T, more: Partial<Sums>): T {
  const sum = { ...to } as Record<string, unknown>;
  for (const [key, value] of Object.entries(more)) sum[key] = (sum[key] as number) + (value as number);
  return sum as unknown as T;
}

/** Adds up events, oldest first; the same sums as the indexer makes of them. */
export function ledgerOf(events: readonly ChainEvent[]): Ledger {
  const streams = new Map<string, StreamEntry>();
  const channels = new Map<string, Address>();
  const days = new Map<string, Day>();
  const providerDays = new Map<number, Map<string, Day>>();
  const batches = new Map<string, BatchEntry>();

  for (const event of events) {
    const { name, contract, at } = event;
    const raw = (key: string) => BigInt(event.args[key] as string);
    const seconds = (key: string) => Number(event.args[key]);
    const address = (key: string) => event.args[key] as Address;
    const day = dayOf(at);
    const book = (asset: Address, providerId: number, more: Partial<Sums>) => {
      const key = `${day} ${asset}`;
      days.set(key, addSums(days.get(key) ?? { ...noSums, day, asset }, more));
      if (providerId === 0) return;
      const own = providerDays.get(providerId) ?? new Map<string, Day>();
      own.set(key, addSums(own.get(key) ?? { ...noSums, day, asset }, more));
      providerDays.set(providerId, own);
    };

    if (contract === "streamPay" && name === "StreamCreated") {
      const [start, end, ratePerSecond] = [seconds("start"), seconds("end"), raw("ratePerSecond")];
      const [asset, providerId, id] = [address("asset"), seconds("providerId"), raw("id")];
      const parties = { payer: address("payer"), payee: address("payee"), asset, providerId };
      const none = { paid: 0n, refunded: 0n, closedAt: undefined };
      streams.set(String(id), { id, ...parties, ratePerSecond, start, end, lastPaid: start, ...none });
      book(asset, providerId, { streamsOpened: 1, deposited: ratePerSecond * BigInt(end - start) });
    } else if (contract === "streamPay" && name.startsWith("Stream")) {
      const stream = streams.get(String(event.args.id));
      if (!stream) continue;
      const { asset, providerId, ratePerSecond } = stream;
      const keep = (change: Partial<StreamEntry>) => streams.set(String(stream.id), { ...stream, ...change });
      if (name === "StreamToppedUp") {
        keep({ end: seconds("end") });
        book(asset, providerId, { deposited: raw("amount") });
      } else if (name === "StreamWithdrawn") {
        const amount = raw("amount");
        const lastPaid = stream.lastPaid + Number(amount / ratePerSecond);
        const closes = lastPaid >= stream.end;
        keep({ lastPaid, paid: stream.paid + amount, closedAt: closes ? at : undefined });
        book(asset, providerId, { paid: amount, payments: 1, streamsClosed: closes ? 1 : 0 });
      } else if (name === "StreamUpdated") {
        const [accrued, reward, completed] = [raw("accrued"), raw("reward"), event.args.completed === true];
        const lastPaid = stream.lastPaid + Number(accrued / ratePerSecond);
        keep({ lastPaid, paid: stream.paid + accrued - reward, closedAt: completed ? at : undefined });
        book(asset, providerId, { paid: accrued - reward, rewards: reward, payments: 1, streamsClosed: completed ? 1 : 0 });
        const { transactionHash: hash, blockNumber } = event;
        const batch = batches.get(hash) ?? { hash, blockNumber, at, streams: 0, completed: 0, reward: 0n };
        const native = asset === NATIVE ? reward : 0n;
        batches.set(hash, {
          ...batch,
          streams: batch.streams + 1,
          completed: batch.completed + (completed ? 1 : 0),
          reward: batch.reward + native,
        });
      } else if (name === "StreamCancelled" || name === "StreamSettled" || name === "StreamRedirected") {
        const [paid, refunded] = [raw("paid"), raw("refunded")];
        keep({ paid: stream.paid + paid, refunded, closedAt: at });
        // What moved on was counted as a deposit when its new stream began.
        const deposited = name === "StreamRedirected" ? -raw("moved") : 0n;
        book(asset, providerId, { paid, refunded, deposited, payments: paid > 0n ? 1 : 0, streamsClosed: 1 });
      }
    } else if (contract === "paymentChannel" && name === "ChannelOpened") {
      channels.set(String(event.args.channelId), address("token"));
      book(address("token"), 0, { channelsOpened: 1, deposited: raw("deposit") });
    } else if (contract === "paymentChannel") {
      const asset = channels.get(String(event.args.channelId));
      if (!asset) continue;
      if (name === "ChannelToppedUp") book(asset, 0, { deposited: raw("amount") });
      if (name === "ChannelSettled") book(asset, 0, { paid: raw("paid"), payments: 1 });
      if (name === "ChannelClosed") {
        const [paid, refunded] = [raw("paid"), raw("refunded")];
        book(asset, 0, { paid, refunded, payments: paid > 0n ? 1 : 0, channelsClosed: 1 });
      }
    }
  }
  return {
    streams,
    days: newestFirst(days),
    providerDays: new Map([...providerDays].map(([id, own]) => [id, newestFirst(own)])),
    batches: [...batches.values()].reverse(),
  };
}

const newestFirst = (days: ReadonlyMap<string, Day>) => [...days.values()].sort((a, b) => b.day - a.day || (a.asset < b.asset ? -1 : 1));

const ledgers = new WeakMap<readonly ChainEvent[], Ledger>();

/** The same ledger for the same events, so that several queries add them up once. */
export function ledgerOnce(events: readonly ChainEvent[]): Ledger {
  const known = ledgers.get(events);
  if (known) return known;
  const ledger = ledgerOf(events);
  ledgers.set(events, ledger);
  return ledger;
}
