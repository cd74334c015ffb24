import { streamPayAbi } from "@clawcompute/lib/abi";
import { createSender, readStream } from "@clawcompute/lib/chain";
import { createFakeClock, createRecordingLogger, type FakeClock } from "@clawcompute/lib/testing";
import { type Address, decodeFunctionData, parseEther } from "viem";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type KeeperWorld, keeperAccount, otherKeeper, startKeeperWorld } from "./testing/keeperWorld.ts";
import { createTurns, turnOf } from "./turns.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const signal = new AbortController().signal;
const everyMs = 30_000;

let world: KeeperWorld;
let clock: FakeClock;
beforeAll(async () => {
  world = await startKeeperWorld();
});
beforeEach(() => {
  world.fresh();
  clock = createFakeClock();
});
afterAll(() => world?.stop());

describe("turnOf", () => {
  const keepers: Address[] = ["0x1111111111111111111111111111111111111111", "0xAAaa111111111111111111111111111111111111"];
  const third: Address = "0x3333333333333333333333333333333333333333";

  it("behavior: everybody works out the same order, and everybody is first about as often", () => {
    const all = [...keepers, third];
    const firsts = new Map<Address, number>();
    for (let window = 0; window < 900; window += 1) {
      const turns = all.map((own) =>
        turnOf(
          window,
          own,
          all.map((address) => address.toLowerCase() as Address),
        ),
      );
      expect([...turns].sort()).toEqual([0, 1, 2]);
      const first = all[turns.indexOf(0)] as Address;
      firsts.set(first, (firsts.get(first) ?? 0) + 1);
    }
    for (const address of all) expect(firsts.get(address)).toBeGreaterThan(240);
  });
});

/** A keeper of the race, with its own wallet and its own view. */
function racer(account: typeof keeperAccount, on = world.chain, mining = true) {
  const turns = createTurns({ chain: on, own: account.address, everyMs, clock });
  const sender = mining ? world.miningSender(account, on) : createSender({ chain: on, account, logger: createRecordingLogger() });
  const keeper = world.keeperOf({ chain: on, sender, turns, clock }, { everyMs });
  let lastMs: number | undefined;
  return {
    ...keeper,
    turns,
    waitMs: () => turns.waitMs(lastMs),
    run: () => {
      lastMs = clock.now();
      return keeper.round(signal);
    },
  };
}

const sentBy = async () => (await world.nonceOf(keeperAccount.address)) + (await world.nonceOf(otherKeeper.address));
const isOut = async () => {
  const { transactions } = await world.chain.client.getBlock({ blockTag: "pending" });
  expect(transactions.length).toBeGreaterThan(0);
};

describe("two keepers", () => {
  it("behavior: one that sees the other's batch waiting to be mined sends nothing for the same streams", async () => {
    await world.open(parseEther("10000"), 10_000);
    await world.local.advance(50);
    const [first, second] = [racer(keeperAccount, world.chain, false), racer(otherKeeper)];
    const sending = first.run();
    await vi.waitFor(isOut, { timeout: 20_000, interval: 20 });
    expect(await second.run()).toEqual([]);
    await world.local.mine();
    expect(await sending).toHaveLength(1);
  });

  it("behavior: who cannot see it pays for one transaction that finds nothing; after that they take turns and none is wasted (P15)", async () => {
    const id = await world.open(parseEther("10000"), 10_000);
    await world.local.advance(50);
    world.proxy.decide(({ params }) => (params[0] === "pending" ? { error: { code: -32000, message: "not supported" } } : "pass"));
    const blind = world.faulty;
    const [first, second] = [racer(keeperAccount, world.chain, false), racer(otherKeeper, blind, false)];
    const racing = first.run();
    await vi.waitFor(isOut, { timeout: 20_000, interval: 20 });
    const before = await sentBy();
    const losing = second.run();
    await vi.waitFor(async () => expect(await sentBy()).toBe(before + 1), { timeout: 20_000, interval: 20 });
    await world.local.mine();
    const outcomes = [await racing, await losing].map(([settled]) => settled?.rewardWei ?? 0n);
    expect(outcomes.filter((rewardWei) => rewardWei > 0n)).toHaveLength(1);
    const warnings = [first, second].flatMap(({ logger }) => logger.records.filter(({ level }) => level === "warn"));
    expect(warnings.map(({ message }) => message)).toEqual(["another keeper was faster"]);

    const racers = [racer(keeperAccount), racer(otherKeeper, blind)];
    for (const one of racers) {
      await world.local.advance(50);
      expect(await one.run()).toHaveLength(1);
    }
    let wasted = 0;
    for (let window = 0; window < 5; window += 1) {
      await world.local.advance(50);
      for (const one of racers) await one.turns.look();
      const order = racers.toSorted((a, b) => a.waitMs() - b.waitMs());
      const [soon, late] = order.map((one) => one.waitMs()) as [number, number];
      expect(late - soon).toBeGreaterThanOrEqual(100);
      const sent = await sentBy();
      for (const one of order) {
        await clock.tick(one.waitMs());
        await one.run();
      }
      wasted += (await sentBy()) - sent - 1;
    }
    expect(wasted).toBe(0);
    const { lastPaid, start } = await readStream(world.chain, id);
    expect(lastPaid - start).toBeGreaterThanOrEqual(250);
  });

  it("behavior: a dead keeper costs nobody anything: the other takes its streams over within a few windows (P15)", async () => {
    const ids: bigint[] = [];
    for (let opened = 0; opened < 4; opened += 1) ids.push(await world.open(parseEther("10000"), 10_000));
    await world.local.advance(50);
    expect(await racer(otherKeeper).run()).toHaveLength(1);
    await world.local.advance(50);
    const alive = racer(keeperAccount);
    const keeper = world.keeperOf({ turns: alive.turns, clock }, { everyMs, maxBatch: 1 });
    await alive.turns.look();
    expect(alive.turns.rivals()).toBe(1);
    const updated = new Set<bigint>();
    const shares: number[] = [];
    for (let window = 0; window < 8 && updated.size < ids.length; window += 1) {
      const settled = await keeper.round(signal);
      shares.push(settled.length);
      for (const { ids } of settled) for (const id of ids) updated.add(id);
      await clock.tick(everyMs);
    }
    expect(updated).toEqual(new Set(ids));
    expect(shares[0]).toBe(2);
  });

  it("behavior: a keeper that loses stays out for longer each time, and comes back after it has earned", async () => {
    const { turns } = racer(keeperAccount);
    const waits = [1, 2, 3, 4, 5, 6, 7].map(() => {
      turns.beaten();
      return Math.round(turns.waitMs(clock.now()) / everyMs);
    });
    expect(waits.slice(0, 4)).toEqual([2, 3, 5, 9]);
    expect(Math.max(...waits)).toBeLessThanOrEqual(17);
    turns.paid();
    expect(turns.waitMs(clock.now())).toBe(everyMs);
  });
});

describe("hostile ids", () => {
  it("behavior: five hundred ids, most of them unknown, ended or twice: the good ones are settled (P15)", async () => {
    const good = await world.open(parseEther("10000"), 10_000);
    await world.local.advance(50);
    const last = world.streams().marks().at(-1) as { number: bigint; hash: `0x${string}` };
    const times = { ratePerSecond: 10n ** 18n, start: 1n, end: 4_000_000_000n };
    const place = { blockNumber: last.number, blockHash: last.hash, transactionHash: last.hash, logIndex: 1 };
    const invented = Array.from({ length: 499 }, (_, index) => ({
      contract: "streamPay" as const,
      name: "StreamCreated",
      args: { id: 1_000_000n + BigInt(index), payee: otherKeeper.address, asset: `0x${"00".repeat(20)}`, providerId: 0n, ...times },
      ...place,
    }));
    world.streams().apply(invented, last);
    const settled = await world.keeperOf({}, { maxBatch: 500 }).round(signal);
    expect(settled).toMatchObject([{ ids: [good] }]);
    const { hash = "" } = settled[0] ?? {};
    const { input } = await world.chain.client.getTransaction({ hash: hash as `0x${string}` });
    expect(decodeFunctionData({ abi: streamPayAbi, data: input }).args).toEqual([[good]]);
  });
});
