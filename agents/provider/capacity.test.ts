import { createFakeClock } from "@clawcompute/lib/testing";
import { describe, expect, test } from "vitest";
import { createCapacity } from "./capacity.ts";

const start = (size: number, queueLength = 1, perStream = 2) => {
  const clock = createFakeClock();
  return { clock, capacity: createCapacity({ size, perStream, queueLength, queueMs: 5_000, clock }) };
};
const never = new AbortController().signal;

describe("createCapacity", () => {
  test("behavior: a place that is given back goes to whoever waits longest", async () => {
    const { capacity } = start(1, 2);
    const first = await capacity.take(1n, never);
    const order: string[] = [];
    const second = capacity.take(2n, never).then((release) => {
      order.push("second");
      return release;
    });
    const third = capacity.take(3n, never).then(() => order.push("third"));
    first();
    first();
    (await second)();
    await third;
    expect(order).toEqual(["second", "third"]);
    expect([capacity.running(), capacity.free()]).toEqual([1, 0]);
  });

  test("error: a full queue, a wait that is too long, too many of one stream", async () => {
    const { clock, capacity } = start(1);
    await capacity.take(1n, never);
    const waiting = capacity.take(2n, never);
    await expect(capacity.take(3n, never)).rejects.toMatchObject({ code: "BUSY", retryAfterSeconds: 2 });
    const late = expect(waiting).rejects.toMatchObject({ code: "BUSY", retryAfterSeconds: 5 });
    await clock.tick(5_000);
    await late;
    const roomy = start(10).capacity;
    await roomy.take(1n, never);
    await roomy.take(1n, never);
    await expect(roomy.take(1n, never)).rejects.toMatchObject({ code: "BUSY", retryAfterSeconds: 1 });
    await roomy.take(2n, never);
  });

  test("behavior: who leaves the queue takes no place with him, not even one granted at that moment", async () => {
    const { capacity } = start(1);
    const first = await capacity.take(1n, never);
    const leaving = new AbortController();
    const waiting = capacity.take(2n, leaving.signal);
    const left = expect(waiting).rejects.toBe("gone");
    first();
    leaving.abort("gone");
    await left;
    expect(capacity.free()).toBe(1);
    (await capacity.take(2n, never))();
    expect(capacity.running()).toBe(0);
  });
});
