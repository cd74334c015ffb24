import { computeRegistryAbi, paymentChannelAbi, streamPayAbi } from "@clawcompute/lib/abi";
import { connectChain } from "@clawcompute/lib/chain";
import { openStore, type Store } from "@clawcompute/lib/store";
import { type LocalChain, startLocalChain } from "@clawcompute/lib/testing";
import type { Abi, Address } from "viem";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contentsOf, followTo, openReference } from "./testing/contents.ts";
import { type Story, startStory } from "./testing/story.ts";

let local: LocalChain;
let story: Story;
let store: Store;

beforeAll(async () => {
  local = await startLocalChain({ blockTimeMs: 0 });
  story = await startStory(local, 7);
  store = await openStore({});
}, 60_000);
afterAll(async () => {
  await store?.close();
  await local?.stop();
});

type Row = Record<string, unknown>;
const parse = (rows: readonly string[]): Row[] =>
  rows.map((row) =>
    JSON.parse(row, (_, value) => (typeof value === "string" && /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value)),
  );

async function read() {
  const contents = await contentsOf(store.db, local.network.chainId);
  return Object.fromEntries(Object.entries(contents).map(([name, rows]) => [name, parse(rows)])) as Record<keyof typeof contents, Row[]>;
}

describe("follow", () => {
  it("behavior: tables agree with what the contracts themselves say", { timeout: 60_000 }, async () => {
    await story.blocks(40);
    await followTo(store.db, local.network);
    const { streams, providers, channels, credits, totals, days, intervals, providerDays, models } = await read();
    const { client, network } = connectChain(local.network);
    const { registry, streamPay, paymentChannel } = network.contracts;
    const ask = <T>(address: Address, abi: Abi, functionName: string, args: readonly unknown[]) =>
      client.readContract({ address, abi, functionName, args }) as Promise<T>;

    expect(BigInt(streams.length)).toBe(await ask(streamPay, streamPayAbi, "getProtocolStats", []));
    for (const row of streams) {
      const stream = await ask<Row>(streamPay, streamPayAbi, "getStream", [row.id]);
      if (row.closedAt !== null) {
        expect(stream.end, `stream ${row.id} is closed`).toBe(0);
        continue;
      }
      const { payer, payee, asset, ratePerSecond, start, end, lastPaid, providerId } = row;
      const lower = {
        ...stream,
        payer: String(stream.payer).toLowerCase(),
        payee: String(stream.payee).toLowerCase(),
        asset: String(stream.asset).toLowerCase(),
      };
      expect({ payer, payee, asset, ratePerSecond, start, end, lastPaid, providerId }).toEqual(lower);
    }
    for (const row of providers) {
      const { pricePerSecond, active, serviceType, completions, earned, endpoint, registeredAt } = await ask<Row>(
        registry,
        computeRegistryAbi,
        "getProvider",
        [row.id],
      );
      expect(row).toMatchObject({ pricePerSecond, active, serviceType, completions: Number(completions), earned, endpoint, registeredAt });
    }
    for (const row of channels) {
      const { deposit, settled } = await ask<Row>(paymentChannel, paymentChannelAbi, "getChannel", [row.id]);
      if (row.closedAt === null) expect({ deposit: row.deposit, settled: row.settled }).toEqual({ deposit, settled });
    }
    const owed = new Map<string, bigint>();
    for (const row of credits) {
      const [address, abi] = row.contract === "streamPay" ? [streamPay, streamPayAbi] : [paymentChannel, paymentChannelAbi];
      const credit = (row.added as bigint) - (row.withdrawn as bigint);
      expect(credit).toBe(await ask(address, abi as Abi, "creditOf", [row.account, row.asset]));
      owed.set(row.asset as string, (owed.get(row.asset as string) ?? 0n) + credit);
    }
    // P1: what the sums say is still inside is exactly what the contracts hold.
    for (const row of totals) {
      const held = (row.deposited as bigint) - (row.paid as bigint) - (row.rewards as bigint) - (row.refunded as bigint);
      const native = row.asset === "0x0000000000000000000000000000000000000000";
      const balances = native
        ? [await client.getBalance({ address: streamPay }), await client.getBalance({ address: paymentChannel })]
        : await Promise.all(
            [streamPay, paymentChannel].map((holder) => ask<bigint>(row.asset as Address, balanceAbi, "balanceOf", [holder])),
          );
      expect(held + (owed.get(row.asset as string) ?? 0n)).toBe((balances[0] as bigint) + (balances[1] as bigint));
    }
    const [minutes, hours] = [60, 3_600].map((seconds) => intervals.filter((row) => row.seconds === seconds));
    for (const table of [days, minutes as Row[], hours as Row[], providerDays]) {
      for (const { asset, ...total } of totals) {
        const same = table.filter((row) => row.asset === asset);
        // A channel's payment may tell two providers' rows something: nobody's and its own.
        for (const key of [
          ...(table === providerDays ? [] : ["events"]),
          "streamsOpened",
          "streamsClosed",
          "deposited",
          "paid",
          "rewards",
          "refunded",
          "soldMs",
          "payments",
        ]) {
          expect(
            same.reduce((sum, row) => sum + BigInt(row[key] as bigint), 0n),
            `${asset} ${key}`,
          ).toBe(BigInt(total[key] as bigint));
        }
      }
    }
    expect(models.reduce((sum, row) => sum + Number(row.active), 0)).toBe(providers.filter(({ active }) => active).length);
  });

  it("behavior: re-organisations of every depth leave what a fresh index of the chain holds", { timeout: 60_000 }, async () => {
    for (const depth of [1, 2, 3, 5, 8, 13, 20]) {
      await story.blocks(3, 6);
      await followTo(store.db, local.network);
      await local.request("anvil_reorg", [depth, []]);
      await story.blocks(2, 6);
      await followTo(store.db, local.network);
    }
    const reference = await openReference(local.network);
    expect(await contentsOf(store.db, local.network.chainId)).toEqual(await reference.contents());
    await reference.close();
  });
});

const balanceAbi = [
  {
    type: "function",
    name: "balanceOf",
    stateMutability: "view",
    inputs: [{ type: "address", name: "of" }],
    outputs: [{ type: "uint256", name: "" }],
  },
] as const satisfies Abi;
