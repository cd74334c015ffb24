import { AppError } from "@clawcompute/lib/errors";
import { createFakeClock } from "@clawcompute/lib/testing";
import { describe, expect, test } from "vitest";
import { createPlaces, type Place } from "./places.ts";

const never = new AbortController().signal;
const busy = new AppError("BUSY", "", { retryAfterSeconds: 1 });

describe("createPlaces", () => {
  test("behavior: without a refusal nobody waits; refusals teach how many there are", async () => {
    const clock = createFakeClock();
    const places = createPlaces(clock);
    const held = await Promise.all(Array.from({ length: 100 }, () => places.take(1, clock.now(), never)));
    expect(places.isFull(1)).toBe(false);
    for (const place of held.slice(4)) place.refused(busy);
    expect(places.isFull(1)).toBe(true);
    expect(places.isFull(2)).toBe(false);
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (index) => {
      const place = await places.take(1, clock.now() + 1_000, never);
      order.push(index);
      return place;
    });
    held[0]?.release();
    const first = (await waiting[0]) as Place;
    expect(order).toEqual([1]);
    first.release();
    held[1]?.release();
    await Promise.all(waiting);
    expect(order).toEqual([1, 2, 3]);
  });

  test("behavior: after a while one more is tried", async () => {
    const clock = createFakeClock();
    const places = createPlaces(clock);
    const [first, second] = [await places.take(1, clock.now(), never), await places.take(1, clock.now(), never)];
    second.refused(busy);
    expect(places.isFull(1)).toBe(true);
    await clock.tick(5_000);
    expect(places.isFull(1)).toBe(false);
    first.release();
  });

  test("behavior: alone and refused, or too fast: time has to pass", async () => {
    const clock = createFakeClock();
    const places = createPlaces(clock);
    (await places.take(1, clock.now(), never)).refused(busy);
    const next = places.take(1, clock.now() + 10_000, never);
    expect(places.isFull(1)).toBe(true);
    await clock.tick(1_000);
    (await next).refused(new AppError("RATE_LIMITED", "", { retryAfterSeconds: 60 }));
    await clock.tick(2_000);
    expect(places.isFull(1)).toBe(false);
  });

  test("error: nobody waits for ever, and who leaves takes no place with him", async () => {
    const clock = createFakeClock();
    const places = createPlaces(clock);
    const [only, refused] = [await places.take(1, clock.now(), never), await places.take(1, clock.now(), never)];
    refused.refused(busy);
    const late = places.take(1, clock.now() + 1_000, never);
    const refusal = expect(late).rejects.toMatchObject({ code: "BUSY", retryAfterSeconds: 2 });
    const leaving = new AbortController();
    const left = places.take(1, clock.now() + 1_000, leaving.signal);
    const gone = expect(left).rejects.toThrow("gone");
    leaving.abort(new Error("gone"));
    await gone;
    await clock.tick(1_000);
    await refusal;
    only.release();
    (await places.take(1, clock.now(), never)).release();
  });
});
