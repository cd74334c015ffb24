import type { ContractCall } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { openStore, type Store } from "@clawcompute/lib/store";
import { createFakeClock, createRecordingLogger } from "@clawcompute/lib/testing";
import { type Address, zeroAddress } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createCollecting } from "./collect.ts";
import { type AccountRow, createLedger } from "./ledger.ts";

const payee: Address = "0x00000000000000000000000000000000000000aa";
const payer: Address = "0x00000000000000000000000000000000000000bb";
let store: Store;
beforeAll(async () => {
  store = await openStore({});
});
afterAll(() => store?.close());

test("behavior: cashed are those whose payer leaves, those above the limit and those unused; nothing for less than its gas", async () => {
  const clock = createFakeClock();
  const ledger = createLedger({ db: store.db, chainId: 31337, meters: { written: async () => {}, servedMs: () => undefined } });
  const base: AccountRow = {
    payment: 0n,
    kind: "channel",
    providerId: 1,
    payer,
    payee,
    asset: zeroAddress,
    ratePerSecond: 1n,
    salt: `0x${"00".repeat(32)}`,
    authorizedSigner: payer,
    deposit: 10_000_000n,
    accepted: 0n,
    voucherSignature: "0x12",
    settled: 0n,
    state: "open",
    expiresAtMs: null,
    usedAtMs: clock.now(),
  };
  const idle = clock.now() - 3_600_000;
  const rows: Record<string, Partial<AccountRow>> = {
    big: { accepted: 2_000_000n },
    small: { accepted: 500_000n },
    unused: { accepted: 500_001n, usedAtMs: idle },
    unusedButWorthless: { accepted: 5_000n, usedAtMs: idle },
    leaving: { accepted: 5_001n, state: "closing" },
    leavingWithNothing: { accepted: 900n, state: "closing" },
    settledAlready: { accepted: 3_000_000n, settled: 3_000_000n, usedAtMs: idle },
    withoutVoucher: { accepted: 4_000_000n, voucherSignature: null, usedAtMs: idle },
    elses: { accepted: 6_000_000n, payee: payer },
  };
  for (const [index, row] of Object.values(rows).entries()) await ledger.create({ ...base, ...row, payment: 2n ** 200n + BigInt(index) });
  const sent: [string, unknown][] = [];
  const collecting = createCollecting({
    ledger,
    payee,
    estimate: async () => ({ gas: 1n, gasPrice: 1n, feeWei: 1_000n }),
    send: async (call: ContractCall) => {
      sent.push([call.functionName, call.args[1]]);
      if (call.args[1] === 500_001n) throw new AppError("PAYMENT_CHANNEL_CHANNEL_FINALIZED", "Somebody was first.");
      return { hash: "0x34" } as never;
    },
    cashed: { inc: () => {} },
    clock,
    logger: createRecordingLogger() as never,
    claimAbove: 1_000_000n,
    leaving: new Set(),
    idleMs: 3_600_000,
    onClosed: () => {},
  });
  await collecting.collect(new AbortController().signal);
  expect(sent).toEqual([
    ["close", 5_001n],
    ["settle", 2_000_000n],
    ["settle", 500_001n],
  ]);
  sent.length = 0;
  await collecting.collect(new AbortController().signal);
  // Only the one that failed is tried again.
  expect(sent).toEqual([["settle", 500_001n]]);
});
