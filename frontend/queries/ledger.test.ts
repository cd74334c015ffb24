import { describe, expect, it } from "vitest";
import type { ChainEvent } from "./journal.ts";
import { ledgerOf } from "./ledger.ts";

const NATIVE = "0x0000000000000000000000000000000000000000";
const [payer, payee, token] = ["0xaa", "0xbb", "0x99"];
const DAY = 86_400;
let place = 0;

const told = (at: number, contract: ChainEvent["contract"], name: string, args: Record<string, unknown>): ChainEvent => {
  place += 1;
  return { blockNumber: place, logIndex: 0, transactionHash: `0x${String(place).padStart(64, "0")}`, at, contract, name, args };
};
const created = (at: number, id: string, asset = NATIVE) =>
  told(at, "streamPay", "StreamCreated", {
    id,
    payer,
    payee,
    asset,
    ratePerSecond: "10",
    start: String(at),
    end: String(at + 100),
    providerId: "7",
    serviceType: 0,
  });

describe("ledgerOf", () => {
  it("behavior: every wei of a stream is in one place, on the day it moved", () => {
    const { streams, days, providerDays } = ledgerOf([
      created(1000, "1"),
      told(1010, "streamPay", "StreamToppedUp", { id: "1", by: payer, amount: "500", end: "1150" }),
      told(1020, "streamPay", "StreamWithdrawn", { id: "1", payee, amount: "200" }),
      told(1030, "streamPay", "StreamUpdated", { id: "1", accrued: "100", reward: "1", completed: false }),
      told(DAY + 1, "streamPay", "StreamCancelled", { id: "1", by: payer, paid: "50", refunded: "1150" }),
    ]);
    expect(streams.get("1")).toMatchObject({ end: 1150, lastPaid: 1030, paid: 349n, refunded: 1150n, closedAt: DAY + 1 });
    expect(days).toMatchObject([
      { day: 1, paid: 50n, refunded: 1150n, deposited: 0n, payments: 1, streamsClosed: 1 },
      { day: 0, paid: 299n, rewards: 1n, deposited: 1500n, payments: 2, streamsOpened: 1, streamsClosed: 0 },
    ]);
    expect(days.reduce((held, day) => held + day.deposited - day.paid - day.rewards - day.refunded, 0n)).toBe(0n);
    expect(providerDays.get(7)).toEqual(days);
  });

  it("behavior: a payee's last withdrawal and a keeper's last update close a stream; a redirected rest is deposited once", () => {
    const { streams, days } = ledgerOf([
      created(1000, "1"),
      told(1200, "streamPay", "StreamWithdrawn", { id: "1", payee, amount: "1000" }),
      created(1000, "2"),
      told(1200, "streamPay", "StreamUpdated", { id: "2", accrued: "1000", reward: "1", completed: true }),
      created(1000, "3"),
      created(1040, "4"),
      told(1040, "streamPay", "StreamRedirected", { id: "3", newId: "4", paid: "400", moved: "600", refunded: "0" }),
    ]);
    expect([...streams.values()].map(({ closedAt }) => closedAt)).toEqual([1200, 1200, 1040, undefined]);
    expect(days).toMatchObject([{ streamsOpened: 4, streamsClosed: 3, deposited: 3400n, paid: 2399n, rewards: 1n }]);
  });

  it("behavior: assets are never mixed, batches are counted by transaction, and strangers' beginnings are left out", () => {
    const update = { ...told(1010, "streamPay", "StreamUpdated", { id: "1", accrued: "100", reward: "2", completed: false }) };
    const second = { ...update, logIndex: 1, args: { ...update.args, id: "2" } };
    const { days, batches, streams } = ledgerOf([
      created(1000, "1"),
      created(1000, "2", token),
      update,
      second,
      told(1020, "streamPay", "StreamWithdrawn", { id: "99", payee, amount: "5" }),
      told(1030, "paymentChannel", "ChannelOpened", { channelId: "0x01", payer, payee, token, deposit: "40" }),
      told(1040, "paymentChannel", "ChannelClosed", { channelId: "0x01", paid: "30", settled: "30", refunded: "10" }),
    ]);
    expect(streams.has("99")).toBe(false);
    expect(batches).toMatchObject([{ streams: 2, completed: 0, reward: 2n }]);
    expect(days.map(({ asset, paid, channelsClosed }) => [asset, paid, channelsClosed])).toEqual([
      [NATIVE, 98n, 0],
      [token, 128n, 1],
    ]);
  });
});
