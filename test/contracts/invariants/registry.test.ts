// The invariants R1 to R5 of README.md: owners register, reprice and switch, and a list kept in order by brute force must
// agree with the registry's ordered sets.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Address, zeroAddress } from "viem";
import { Market } from "../ComputeRegistry/world.ts";
import { Chooser, RUNS, SEED, STEPS } from "./chooser.ts";

interface Entry {
  readonly id: bigint;
  readonly owner: Address;
  readonly model: string;
  readonly asset: Address;
  price: bigint;
  active: boolean;
  completions: bigint;
  earned: bigint;
}

const MODELS = ["a", "b", `long-${"x".repeat(59)}`];

class Run {
  readonly entries: Entry[] = [];
  readonly market: Market;
  readonly choose: Chooser;
  readonly assets: readonly Address[];
  readonly owners: readonly Address[];

  constructor(market: Market, choose: Chooser) {
    this.market = market;
    this.choose = choose;
    this.assets = [zeroAddress, market.token.address];
    this.owners = [market.owner, market.other];
  }

  /** Few prices, so that many offers tie. */
  price(): bigint {
    return this.choose.chance(80) ? this.choose.amount(1n, 6n) : this.choose.amount(1n, 2n ** 64n - 1n);
  }

  async register(): Promise<void> {
    const [from, model, asset, price] = [this.choose.one(this.owners), this.choose.one(MODELS), this.choose.one(this.assets), this.price()];
    const id = await this.market.register({ from, model, asset, price });
    this.entries.push({ id, owner: from, model, asset, price, active: true, completions: 0n, earned: 0n });
  }

  async update(): Promise<void> {
    if (this.entries.length === 0) return;
    const entry = this.choose.one(this.entries);
    const [price, active] = [this.price(), this.choose.chance(60)];
    const stranger = this.owners.find((owner) => owner !== entry.owner);
    assert(stranger);
    await this.market.refuses(this.market.updating(entry.id, { price, active, from: stranger }), "ComputeRegistry_NotOwner", [
      entry.id,
      stranger,
      entry.owner,
    ]);
    await this.market.update(entry.id, { price, active, from: entry.owner });
    [entry.price, entry.active] = [price, active];
  }

  async record(): Promise<void> {
    if (this.entries.length === 0) return;
    const entry = this.choose.one(this.entries);
    const [count, earned] = [this.choose.amount(1n, 9n), this.choose.amount(1n, 10n ** 20n)];
    const from = this.choose.one([this.market.streamPay, this.market.paymentChannel]);
    await this.market.chain.send(this.market.call(from, "recordCompletions", [entry.id, count, earned]));
    entry.completions += count;
    entry.earned += earned;
  }

  async step(): Promise<void> {
    await this.choose.one([this.register, this.update, this.update, this.update, this.record]).call(this);
  }

  async check(): Promise<void> {
    const { market, entries, choose } = this;
    const active = entries.filter((entry) => entry.active);
    for (const model of MODELS) {
      for (const asset of this.assets) {
        const sorted = active
          .filter((entry) => entry.model === model && entry.asset === asset)
          .sort((a, b) => (a.price === b.price ? Number(a.id - b.id) : a.price < b.price ? -1 : 1));
        const ids = sorted.map(({ id }) => id);
        assert.deepEqual(await market.read("getProvidersByModel", [model, asset, 0n, 10_000n]), ids, "R1: cheapest first");
        const [offset, limit] = [choose.below(5), choose.below(5)];
        const page = await market.read("getProvidersByModel", [model, asset, BigInt(offset), BigInt(limit)]);
        assert.deepEqual(page, ids.slice(offset, offset + limit), "R1: pages are parts");
        const first = sorted[0];
        assert.deepEqual(
          await market.read("getCheapestProvider", [model, asset]),
          [first?.id ?? 0n, first?.price ?? 0n],
          "R2: the cheapest",
        );
      }
    }
    const listed = await market.read<bigint[]>("getActiveProviderIds");
    assert.deepEqual(
      listed.toSorted(ascending),
      active.map(({ id }) => id),
      "R3: active ids, each once",
    );
    assert.deepEqual(await market.read("getRegistryStats"), [BigInt(entries.length), BigInt(active.length)], "R3: counts");
    for (const owner of this.owners) {
      const own = entries.filter((entry) => entry.owner === owner).map(({ id }) => id);
      assert.deepEqual(await market.read("getWalletProviders", [owner, 0n, 10_000n]), own, "R4: a wallet's offers");
    }
    if (entries.length === 0) return;
    const providers = await market.read<{ pricePerSecond: bigint; active: boolean; completions: bigint; earned: bigint }[]>(
      "getProviders",
      [entries.map(({ id }) => id)],
    );
    assert.deepEqual(
      providers.map((shown) => [shown.pricePerSecond, shown.active, shown.completions, shown.earned]),
      entries.map(({ price, active: on, completions, earned }) => [price, on, completions, earned]),
      "R5: offers and histories",
    );
  }
}

const ascending = (a: bigint, b: bigint) => (a < b ? -1 : 1);

describe("ComputeRegistry's invariants", () => {
  for (let run = 0; run < RUNS; run++) {
    const seed = SEED + run;
    it(`hold whatever owners do (seed ${seed})`, async () => {
      const world = new Run(await Market.build(), new Chooser(seed));
      for (let step = 0; step < STEPS; step++) {
        try {
          await world.step();
          if (step % 4 === 0) await world.check();
        } catch (error) {
          throw new Error(`seed ${seed}, step ${step}: ${(error as Error).message}`, { cause: error });
        }
      }
      await world.check();
    });
  }
});
