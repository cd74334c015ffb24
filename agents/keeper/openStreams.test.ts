import type { ChainEvent } from "@clawcompute/lib/chain";
import { zeroAddress } from "viem";
import { describe, expect, it } from "vitest";
import { createOpenStreams } from "./openStreams.ts";

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
  event(block, "StreamCreated", { id, payee: zeroAddress, asset: zeroAddress, providerId: 7n, end: 1000n });
const upTo = (number: number) => ({ number: BigInt(number), hash: hash(number) });
const ids = (streams: ReturnType<typeof createOpenStreams>) => streams.list().map(({ id }) => id);

describe("createOpenStreams", () => {
  it("behavior: streams come and go with the events", () => {
    const streams = createOpenStreams();
    streams.apply(
      [1n, 2n, 3n, 4n, 5n].map((id) => created(1, id)),
      upTo(1),
    );
    expect(streams.list()[0]).toEqual({ id: 1n, payee: zeroAddress, asset: zeroAddress, providerId: 7, end: 1000 });
    streams.apply(
      [
        event(2, "StreamCancelled", { id: 1n }),
        event(2, "StreamSettled", { id: 2n }),
        event(2, "StreamRedirected", { id: 3n, newId: 6n }),
        created(2, 6n),
        event(2, "StreamUpdated", { id: 4n, completed: false }),
        event(2, "StreamToppedUp", { id: 4n, end: 2000n }),
        event(2, "StreamUpdated", { id: 5n, completed: true }),
      ],
      upTo(2),
    );
    expect(ids(streams)).toEqual([4n, 6n]);
    expect(streams.list()[0]?.end).toBe(2000);
  });

  it("behavior: a rollback undoes exactly what came after", () => {
    const streams = createOpenStreams();
    streams.apply([created(1, 1n), created(1, 2n)], upTo(1));
    const before = streams.save();
    streams.apply([event(2, "StreamCancelled", { id: 1n }), created(2, 3n)], upTo(2));
    streams.apply([event(3, "StreamToppedUp", { id: 2n, end: 5n })], upTo(3));
    streams.drop(3n);
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
