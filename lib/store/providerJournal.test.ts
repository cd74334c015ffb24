import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore, type Store } from "./open.ts";
import { payAccounts } from "./paymentSchema.ts";

let store: Store;
beforeAll(async () => {
  store = await openStore({});
}, 60_000);
afterAll(() => store?.close());

test("behavior: of vouchers that were taken at the same time the highest is kept, whichever came last (P5)", async () => {
  const address = "0x00000000000000000000000000000000000000aa" as const;
  const chainId = 31337;
  await store.db.insert(payAccounts).values({
    chainId,
    payment: 7n,
    kind: "channel",
    providerId: 1,
    payer: address,
    payee: address,
    asset: address,
    ratePerSecond: 1n,
    deposit: 1_000n,
    accepted: 0n,
    settled: 0n,
    usedAtMs: 0,
  });
  for (const accepted of ["100", "50"]) {
    store.journal?.append({ voucher: { chain: chainId, id: "7", accepted, signature: `0x${accepted}0`.slice(0, 6), at: 1 } });
  }
  await store.journal?.applied();
  expect(await store.db.select().from(payAccounts)).toMatchObject([{ accepted: 100n, voucherSignature: "0x1000" }]);
});
