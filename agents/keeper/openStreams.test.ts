import type { ChainEvent } from "@clawcompute/lib/chain";
import { zeroAddress } from "viem";
import { describe, expect, it } from "vitest";
import { accruedAt, createOpenStreams } from "./openStreams.ts";

const hash = (number: number) => `0x${number.toString(16).padStart(64, "0")}` as const;
const event = (block: number, name: string, args: Record<string, unknown>): ChainEvent => ({
  contract: "streamPay",
  name,
  args,
  blockNumber: BigInt(block),
  blockHash: hash(block),
  logIndex: 0,
  transactionHash: hash(1),
});
const created = (block: number, id: bigint) =>
  event(block, "StreamCreated", { id, payee: zeroAddress, asset: zeroAddress, providerId: 7n, ratePerSecond: 3n, start: 10n, end: 1000n });
const upTo = (number: number) => ({ number: BigInt(number), hash: hash(number) });
const ids = (streams: ReturnType<typeof createOpenStreams>) => [...streams.values()].map(({ id }) => id);

describe("createOpenStreams", () => {
  it("behavior: streams come and go with the events", () => {
    const streams = createOpenStreams();
    streams.apply(
      [1n, 2n, 3n, 4n, 5n].map((id) => created(1, id)),
      upTo(1),
    );
    const [first] = streams.values();
    expect(first).toEqual({ id: 1n, payee: zeroAddress, asset: zeroAddress, providerId: 7, ratePerSecond: 3n, lastPaid: 10, end: 1000 });
    streams.apply(
      [
        event(2, "StreamCancelled", { id: 1n }),
        event(2, "StreamSettled", { id: 2n }),
        event(2, "StreamRedirected", { id: 3n, newId: 6n }),
        created(2, 6n),
        event(2, "StreamUpdated", { id: 4n, accrued: 60n, completed: false }),
        event(2, "StreamToppedUp", { id: 4n, end: 2000n }),
        event(2, "StreamUpdated", { id: 5n, accrued: 2970n, completed: true }),
      ],
      upTo(2),
    );
    expect(ids(streams)).toEqual([4n, 6n]);
    expect([...streams.values()][0]).toMatchObject({ lastPaid: 30, end: 2000 });
  });

  it("behavior: what accrued is known to the second, and a stream that was paid to its end is gone", () => {
    const streams = createOpenStreams();
    streams.apply([created(1, 1n)], upTo(1));
    const accrued = (now: number) => [...streams.values()].map((stream) => accruedAt(stream, now));
    expect([accrued(5), accrued(10), accrued(11), accrued(5000)]).toEqual([[0n], [0n], [3n], [2970n]]);
    streams.apply([event(2, "StreamWithdrawn", { id: 1n, amount: 300n })], upTo(2));
    expect([accrued(110), accrued(5000)]).toEqual([[0n], [2670n]]);
    streams.apply([event(3, "StreamWithdrawn", { id: 1n, amount: 2670n })], upTo(3));
    expect(streams.size()).toBe(0);
  });

  it("behavior: a rollback undoes exactly what came after", () => {
    const streams = createOpenStreams();
    streams.apply([created(1, 1n), created(1, 2n)], upTo(1));
    const before = streams.save();
    streams.apply([event(2, "StreamCancelled", { id: 1n }), created(2, 3n)], upTo(2));
    streams.apply([event(3, "StreamToppedUp", { id: 2n, end: 5n })], upTo(3));
    streams.apply([event(4, "StreamWithdrawn", { id: 2n, amount: 3n })], upTo(4));
    streams.rollback(1n);
    expect({ ...streams.save(), streams: streams.save().streams.toSorted((a, b) => Number(a.id) - Number(b.id)) }).toEqual(before);
  });

  it("behavior: a rollback beyond everything known forgets everything", () => {
    const streams = createOpenStreams();
    streams.apply([created(10, 1n)], upTo(10));
    streams.rollback(-1n);
    expect(streams.save()).toEqual({ streams: [], changes: [], marks: [] });
  });

  it("behavior: goes on where it was saved, rollbacks included", () => {
    const streams = createOpenStreams();
    streams.apply([created(1, 1n)], upTo(1));
    streams.apply([event(2, "StreamCancelled", { id: 1n }), created(2, 2n)], upTo(2));
    const again = createOpenStreams(JSON.parse(JSON.stringify(streams.save())));
    expect(ids(again)).toEqual([2n]);
    expect(again.marks()).toEqual([upTo(1), upTo(2)]);
    again.rollback(1n);
    expect(ids(again)).toEqual([1n]);
  });
});
