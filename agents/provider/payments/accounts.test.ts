import { recoverSigner } from "@clawcompute/lib/node";
import { ZERO_HASH } from "@clawcompute/lib/protocol";
import { channelOfPayment, encodeCredential, signVoucher } from "@clawcompute/lib/protocol/payments";
import { openStore, type Store } from "@clawcompute/lib/store";
import { createFakeClock, devAccounts } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createSharedMeters } from "../closing.ts";
import { createDraft } from "../drafting.ts";
import { createOwnMeters } from "../ownMeters.ts";
import { createAccounts } from "./accounts.ts";
import { type ChannelsOptions, createChannels } from "./channels.ts";
import { type AccountRow, createLedger } from "./ledger.ts";
import { createVoucherCheck } from "./vouchers.ts";

vi.setConfig({ hookTimeout: 60_000, testTimeout: 60_000 });

const owner = devAccounts[1] as LocalAccount;
const chainId = 31337;
const RATE = 1_000n;
let store: Store;
let payment = 0n;
beforeAll(async () => {
  store = await openStore({});
});
afterAll(() => store?.close());

/** Accounts as a provider that has its store alone has them; ten seconds are paid for on each. */
function setUp(capacity?: number) {
  const { db, journal } = store;
  if (!journal) throw new Error("no journal");
  const clock = createFakeClock();
  const draft = createDraft({ domain: { chainId, verifyingContract: owner.address }, signer: owner });
  const meters = createOwnMeters({ db, chainId, draft, journal });
  const ledger = createLedger({ db, chainId, meters, journal });
  const accounts = createAccounts({ ledger, stepMs: 1_000, clock, ...(capacity === undefined ? {} : { capacity }) });
  const rowOf = (kind: AccountRow["kind"]): AccountRow => ({
    payment: ++payment,
    kind,
    providerId: 1,
    payer: owner.address,
    payee: owner.address,
    asset: owner.address,
    ratePerSecond: RATE,
    salt: null,
    authorizedSigner: null,
    deposit: RATE * 100n,
    accepted: RATE * 10n,
    voucherSignature: null,
    settled: 0n,
    state: "open",
    expiresAtMs: null,
    usedAtMs: clock.now(),
  });
  return { clock, meters, ledger, accounts, rowOf };
}

test.each(["channel", "balance", "escrow"] as const)(
  "behavior: what one request spends of a %s, another that found it long before has not (P5)",
  async (kind) => {
    const { clock, meters, accounts, rowOf } = setUp();
    const { id } = await accounts.create(rowOf(kind));
    // Its body takes long; meanwhile nobody uses the account.
    const early = await accounts.find(id);
    await clock.tick(31_000);
    const late = await accounts.find(id);
    const answer = early?.cover.begin(() => {});
    const startedAt = clock.now();
    await clock.tick(10_000);
    answer?.end();
    await meters.count(id, startedAt, clock.now());
    await answer?.close();
    expect(late?.owed()).toBe(RATE * 10n);
    expect(() => late?.cover.assertMayBegin()).toThrow();
  },
);

test("behavior: an account that this process has forgotten serves nothing more to who still holds it (P5)", async () => {
  const { accounts, rowOf } = setUp(1);
  const { id } = await accounts.create(rowOf("channel"));
  const early = await accounts.find(id);
  await accounts.create(rowOf("channel"));
  const again = await accounts.find(id);
  expect(again).not.toBe(early);
  expect([early?.cover.runwayMs(), again?.cover.runwayMs()]).toEqual([0, 11_000]);
});

test("behavior: where nothing can be forgotten, the newest account is of use all the same", async () => {
  const { accounts, rowOf } = setUp(1);
  const first = await accounts.create(rowOf("channel"));
  const answer = first.cover.begin(() => {});
  const second = await accounts.create(rowOf("channel"));
  expect([second.closed.aborted, await accounts.find(second.id)]).toEqual([false, second]);
  await answer.close();
});

test("behavior: what another replica served is seen by a request a second later (P5)", async () => {
  const { db } = store;
  const { clock, rowOf } = setUp();
  const draft = createDraft({ domain: { chainId, verifyingContract: owner.address }, signer: owner });
  const meters = createSharedMeters({ db, chainId, draft });
  const replica = () => createAccounts({ ledger: createLedger({ db, chainId, meters }), stepMs: 1_000, clock, trustedMs: 1_000 });
  const [one, other] = [replica(), replica()];
  const { id } = await one.create(rowOf("channel"));
  await other.find(id);
  const answer = (await one.find(id))?.cover.begin(() => {});
  const startedAt = clock.now();
  await clock.tick(10_000);
  answer?.end();
  await meters.count(id, startedAt, clock.now());
  await answer?.close();
  expect((await other.find(id))?.owed()).toBe(RATE * 10n);
});

test.each(["escrow", "balance"] as const)(
  "error: a channel's voucher raises nothing on a %s, where it could not be cashed (P5)",
  async (kind) => {
    const { clock, ledger, accounts, rowOf } = setUp();
    const domain = { chainId, verifyingContract: owner.address };
    const row = rowOf(kind);
    const account = await accounts.create(row);
    const channels = createChannels({
      domain,
      payee: owner.address,
      accounts,
      ledger,
      check: createVoucherCheck(domain, recoverSigner),
      clock,
    } as unknown as ChannelsOptions);
    const channelId = channelOfPayment(row.payment);
    const cumulativeAmount = row.deposit;
    const challenge = { id: "1", realm: "clawcompute", method: "evm", intent: "session", request: "e30" };
    const payload = {
      action: "open",
      type: "hash",
      channelId,
      hash: ZERO_HASH,
      salt: ZERO_HASH,
      cumulativeAmount,
      signature: await signVoucher(owner, domain, { channelId, cumulativeAmount }),
    };
    await expect(channels.payer(encodeCredential({ challenge, payload }))).rejects.toMatchObject({ code: "CHANNEL_UNKNOWN" });
    expect(account.row).toMatchObject({ accepted: row.accepted, voucherSignature: null });
  },
);

test("error: an answer ends though the store does not answer, and its time stands", async () => {
  const { clock, ledger, rowOf } = setUp();
  const reread = () => Promise.reject(new Error("no space left on device"));
  const account = await createAccounts({ ledger: { ...ledger, reread }, stepMs: 1_000, clock }).create(rowOf("channel"));
  const answer = account.cover.begin(() => {});
  await clock.tick(4_000);
  await answer.close();
  expect([account.running(), account.owed()]).toEqual([0, RATE * 4n]);
});

test("behavior: what an x402 channel has signed meanwhile is not forgotten when its row is read", async () => {
  const { clock, accounts, ledger, rowOf } = setUp();
  const account = await accounts.create(rowOf("escrow"));
  const older = account.row;
  accounts.update(await ledger.accept(account.row, RATE * 20n, "0x12", clock.now()));
  accounts.update(older);
  expect(account.row).toMatchObject({ accepted: RATE * 20n, voucherSignature: "0x12" });
});
