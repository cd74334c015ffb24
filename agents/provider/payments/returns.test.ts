import { openStore, type Store } from "@clawcompute/lib/store";
import { createFakeClock, createRecordingLogger, devAccounts } from "@clawcompute/lib/testing";
import type { LocalAccount } from "viem";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createDraft } from "../drafting.ts";
import { createOwnMeters } from "../ownMeters.ts";
import { createAccounts } from "./accounts.ts";
import { createBalances } from "./balances.ts";
import { createLedger } from "./ledger.ts";
import { createTransfers } from "./transfers.ts";

vi.setConfig({ hookTimeout: 60_000, testTimeout: 60_000 });

const [owner, payer] = [devAccounts[1], devAccounts[5]] as readonly LocalAccount[] as [LocalAccount, LocalAccount];
const chainId = 31337;
const RATE = 1_000n;
let store: Store;
beforeAll(async () => {
  store = await openStore({});
});
afterAll(() => store?.close());

/** Balances whose wallet sends what the test sees. */
function setUp(send: (amount: bigint) => Promise<void> = async () => {}) {
  const { db, journal } = store;
  if (!journal) throw new Error("no journal");
  const clock = createFakeClock();
  const draft = createDraft({ domain: { chainId, verifyingContract: owner.address }, signer: owner });
  const meters = createOwnMeters({ db, chainId, draft, journal });
  const ledger = createLedger({ db, chainId, meters, journal });
  const accounts = createAccounts({ ledger, stepMs: 1_000, clock });
  const transfers = createTransfers(db, chainId);
  const sent: bigint[] = [];
  const balances = createBalances({
    db,
    chainId,
    payee: owner.address,
    secret: async () => Buffer.alloc(32, 7),
    ledger,
    accounts,
    transfers,
    clock,
    logger: createRecordingLogger() as never,
    idleMs: 1_000_000,
    endAnswers: async () => {},
    send: async ({ args }) => {
      sent.push(args[1] as bigint);
      await send(args[1] as bigint);
      return { hash: `0x${String(sent.length).padStart(64, "0")}` } as never;
    },
    headNumber: async () => 1n,
  });
  const terms = { providerId: 1, payer: payer.address, asset: owner.address, ratePerSecond: RATE };
  const fund = async (payment: bigint, nth: number) => {
    const key = `${payment}/${nth}`;
    await transfers.once({ key, payment, kind: "funding", amount: RATE * 10n, nowMs: clock.now() }, async () => {});
    return balances.fund({ key, payment, amount: RATE * 10n, hash: "0x12", terms });
  };
  return { clock, meters, ledger, balances, sent, fund };
}

test("behavior: what comes in while the rest of a balance goes back, goes back too", async () => {
  let late = async () => {};
  const { balances, ledger, sent, fund } = setUp(() => late());
  const account = await fund(1n, 1);
  late = async () => {
    late = async () => {};
    await fund(1n, 2);
  };
  await balances.close(account);
  await balances.expire(new AbortController().signal);
  expect(sent).toEqual([RATE * 10n, RATE * 10n]);
  expect((await ledger.read(1n))?.row).toMatchObject({ state: "closed", accepted: RATE * 20n, settled: RATE * 20n });
});

test("behavior: a balance that was served a little beyond its end is closed, and not looked at for ever", async () => {
  const { balances, clock, ledger, meters, sent, fund } = setUp();
  const account = await fund(2n, 1);
  const answer = account.cover.begin(() => {});
  const startedAt = clock.now();
  await clock.tick(10_002);
  await meters.count(2n, startedAt, clock.now());
  await answer.close();
  expect(await balances.close(account)).toEqual({ refunded: 0n, hash: undefined });
  expect([sent, (await ledger.read(2n))?.row.state]).toEqual([[], "closed"]);
});
