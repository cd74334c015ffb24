import type { ChainEvent, StreamState } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { createLogger } from "@clawcompute/lib/node";
import { createFakeClock } from "@clawcompute/lib/testing";
import { describe, expect, test } from "vitest";
import { createChainTime } from "./chainTime.ts";
import { createStreams } from "./streams.ts";

const NOW = 1_800_000_000;
const state: StreamState = {
  id: 7n,
  payer: "0x0000000000000000000000000000000000000001",
  payee: "0x0000000000000000000000000000000000000002",
  asset: "0x0000000000000000000000000000000000000000",
  ratePerSecond: 5n,
  start: NOW,
  end: NOW + 60,
  lastPaid: NOW,
  providerId: 1,
  status: "active",
};
const event = (name: string, args: Record<string, unknown> = {}): ChainEvent => ({
  contract: "streamPay",
  name,
  args: { id: 7n, ...args },
  blockNumber: 1n,
  blockHash: "0x",
  logIndex: 0,
  transactionHash: "0x",
});

function start(initial: Partial<StreamState> = {}) {
  const clock = createFakeClock(NOW * 1000);
  const chainTime = createChainTime({ clock, staleAfterMs: 1e9 });
  chainTime.observe({ number: 1n, timestampMs: NOW * 1000 });
  let current: StreamState = { ...state, ...initial };
  let reads = 0;
  let gate: Promise<void> = Promise.resolve();
  const streams = createStreams({
    read: async () => {
      reads += 1;
      const seen = current;
      await gate;
      return seen;
    },
    assertOurs: ({ payee }) => {
      if (payee !== state.payee) throw new AppError("WRONG_PROVIDER", "not ours");
    },
    newestBlock: async () => 12n,
    chainTime,
    logger: createLogger({ name: "t", level: "silent" }),
  });
  return {
    clock,
    streams,
    reads: () => reads,
    set: (changes: Partial<StreamState>) => {
      current = { ...current, ...changes };
    },
    holdReads: () => {
      let open = () => {};
      gate = new Promise((resolve) => {
        open = resolve;
      });
      return open;
    },
  };
}

describe("createStreams", () => {
  test("behavior: is read once, however many ask", async () => {
    const { streams, reads } = start();
    const [one, two] = await Promise.all([streams.get(7n), streams.get(7n)]);
    expect(one).toBe(two);
    await streams.get(7n);
    expect(reads()).toBe(1);
  });

  test("behavior: the runway follows the chain's clock and top-ups", async () => {
    const { streams, clock } = start();
    const stream = await streams.get(7n);
    await clock.tick(50_000);
    expect(streams.runwayMs(stream)).toBe(10_000);
    streams.apply([event("StreamToppedUp", { end: BigInt(NOW + 90) }), event("StreamToppedUp", { end: BigInt(NOW + 80) })]);
    expect(streams.runwayMs(stream)).toBe(40_000);
    await clock.tick(41_000);
    expect(streams.runwayMs(stream)).toBe(0);
    await expect(streams.get(7n)).rejects.toMatchObject({ code: "STREAM_ENDED" });
    expect(await streams.getOpen(7n)).toBe(stream);
  });

  test.each([
    event("StreamCancelled"),
    event("StreamSettled"),
    event("StreamRedirected", { newId: 8n }),
    event("StreamUpdated", { completed: true }),
  ])("behavior: $name closes it", async (closing) => {
    const { streams } = start();
    const stream = await streams.get(7n);
    streams.apply([closing]);
    expect(stream.closed.aborted).toBe(true);
    expect(streams.runwayMs(stream)).toBe(0);
    await expect(streams.getOpen(7n)).rejects.toMatchObject({ code: "STREAM_ENDED" });
  });

  test("behavior: an update that does not complete it, and events of others, change nothing", async () => {
    const { streams } = start();
    const stream = await streams.get(7n);
    streams.apply([event("StreamUpdated", { completed: false }), event("StreamWithdrawn"), event("StreamCancelled", { id: 8n })]);
    expect(stream.closed.aborted).toBe(false);
  });

  test("behavior: an event that overtakes the reading makes it read again", async () => {
    const { streams, reads, set, holdReads } = start();
    const open = holdReads();
    const asked = streams.get(7n);
    await Promise.resolve();
    await Promise.resolve();
    set({ status: "closed" });
    streams.apply([event("StreamCancelled")]);
    open();
    await expect(asked).rejects.toMatchObject({ code: "STREAM_ENDED" });
    expect(reads()).toBe(2);
  });

  test("behavior: a reorganisation ends what is not there any more, and is read afresh", async () => {
    const { streams, set } = start();
    const stream = await streams.get(7n);
    set({ payer: "0x0000000000000000000000000000000000000009", start: NOW + 1 });
    await streams.recheck();
    expect(stream.closed.aborted).toBe(true);
    expect((await streams.get(7n)).state.payer).toBe("0x0000000000000000000000000000000000000009");
  });

  test("behavior: a stream read ahead of the events is read once more when they have come that far", async () => {
    const { streams, set, reads } = start();
    const stream = await streams.get(7n);
    set({ status: "unknown" });
    await streams.followedTo(11n);
    expect([stream.closed.aborted, reads()]).toEqual([false, 1]);
    await streams.followedTo(12n);
    await streams.followedTo(13n);
    expect([stream.closed.aborted, reads()]).toEqual([true, 2]);
    await expect(streams.get(7n)).rejects.toMatchObject({ code: "STREAM_UNKNOWN" });
  });

  test("behavior: a reorganisation brings back a stream whose cancel is undone", async () => {
    const { streams } = start();
    await streams.get(7n);
    streams.apply([event("StreamCancelled")]);
    await streams.recheck();
    expect((await streams.get(7n)).state.status).toBe("active");
  });

  test("error: unknown, somebody else's", async () => {
    await expect(start({ status: "unknown" }).streams.get(7n)).rejects.toMatchObject({ code: "STREAM_UNKNOWN", param: "streamId" });
    await expect(start({ payee: state.payer }).streams.get(7n)).rejects.toMatchObject({ code: "WRONG_PROVIDER" });
  });

  test("error: an unknown stream is looked for again, because it may come", async () => {
    const { streams, set, clock, reads } = start({ status: "unknown" });
    const refusal = { code: "STREAM_UNKNOWN" };
    for (let count = 0; count < 50; count += 1) await expect(streams.get(7n)).rejects.toMatchObject(refusal);
    expect(reads()).toBe(1);
    set({ status: "active" });
    await clock.tick(999);
    await expect(streams.get(7n)).rejects.toMatchObject(refusal);
    await clock.tick(1);
    expect((await streams.get(7n)).id).toBe(7n);
  });

  test("behavior: an unknown stream is known with its event", async () => {
    const { streams, set } = start({ status: "unknown" });
    await expect(streams.get(7n)).rejects.toMatchObject({ code: "STREAM_UNKNOWN" });
    set({ status: "active" });
    streams.apply([event("StreamCreated")]);
    expect((await streams.get(7n)).id).toBe(7n);
  });
});
