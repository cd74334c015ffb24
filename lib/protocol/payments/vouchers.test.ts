import { describe, expect, test } from "vitest";
import { AppError } from "../../errors/index.ts";
import { createFakeClock, createRecordingLogger } from "../../testing/index.ts";
import { createExposure } from "./exposure.ts";
import { createVouchers, type SignedVoucher } from "./vouchers.ts";

const RATE = 1_000n;

function open(send: (voucher: SignedVoucher) => Promise<void> = async () => {}) {
  const clock = createFakeClock();
  const exposure = createExposure({ ratePerSecond: RATE, step: RATE, deposit: () => RATE * 60n }, clock);
  const sent: { atMs: number; amount: bigint; ahead: bigint }[] = [];
  const startMs = clock.now();
  let signatures = 0;
  const vouchers = createVouchers({
    exposure,
    ratePerSecond: RATE,
    step: RATE,
    sign: async () => {
      signatures += 1;
      return "0x01";
    },
    send: async (voucher) => {
      const { cumulativeAmount: amount } = voucher;
      sent.push({ atMs: clock.now() - startMs, amount, ahead: amount - exposure.owed() });
      await send(voucher);
    },
    clock,
    logger: createRecordingLogger(),
  });
  return { clock, exposure, vouchers, sent, signatures: () => signatures };
}

describe("createVouchers", () => {
  test("behavior: while an answer runs, the provider has always most of a step, and never more than one ahead", async () => {
    const { clock, exposure, vouchers, sent } = open();
    const stop = exposure.start();
    let has = (await vouchers.newest()).cumulativeAmount;
    vouchers.keepAhead();
    for (let ms = 0; ms < 10_000; ms += 10) {
      await clock.tick(10);
      has = sent.at(-1)?.amount ?? has;
      expect(has - exposure.owed()).toBeGreaterThanOrEqual((RATE * 7n) / 10n);
      expect(has - exposure.owed()).toBeLessThanOrEqual(RATE);
    }
    stop();
    vouchers.rest();
    const { length } = sent;
    await clock.tick(10_000);
    expect(sent).toHaveLength(length);
    expect(clock.sleepers()).toBe(0);
  });

  test("behavior: 16 requests at once carry the same voucher, signed once", async () => {
    const { exposure, vouchers, signatures } = open();
    const amounts = await Promise.all(
      Array.from({ length: 16 }, async () => {
        exposure.start();
        return (await vouchers.newest()).cumulativeAmount;
      }),
    );
    expect(new Set(amounts)).toEqual(new Set([RATE]));
    expect(signatures()).toBe(1);
  });

  test("behavior: a provider that asks early gets the next one at once, within the measure", async () => {
    const { clock, exposure, vouchers, sent } = open();
    exposure.start();
    await vouchers.newest();
    vouchers.keepAhead();
    await clock.tick(100);
    expect(vouchers.asked(RATE + 100n)).toBe(true);
    await clock.tick(0);
    expect(sent).toEqual([{ atMs: 100, amount: RATE, ahead: 900n }]);
  });

  test("error: a provider that claims more than a step beyond the measure gets nothing", async () => {
    const { clock, exposure, vouchers, sent } = open();
    exposure.start();
    await vouchers.newest();
    vouchers.keepAhead();
    await clock.tick(100);
    expect(vouchers.asked(RATE * 2n + 101n)).toBe(false);
    await clock.tick(0);
    expect(sent).toEqual([]);
  });

  test("behavior: a voucher that did not arrive is followed by the next one", async () => {
    let fail = true;
    const { clock, exposure, vouchers, sent } = open(async () => {
      if (fail) throw new AppError("PROVIDER_UNREACHABLE", "gone");
    });
    exposure.start();
    await vouchers.newest();
    vouchers.keepAhead();
    await clock.tick(270);
    fail = false;
    await clock.tick(80);
    const amounts = sent.map(({ amount }) => amount);
    expect(amounts.length).toBeGreaterThan(1);
    expect(exposure.signed - exposure.owed()).toBeLessThanOrEqual(RATE);
  });
});
