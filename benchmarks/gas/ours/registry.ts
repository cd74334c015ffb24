import { decodeEventLog } from "viem";

import type { Row } from "../chain.ts";
import { bench } from "../compile.ts";
import { ratePerSecond, setting } from "./setting.ts";

/** The most that the largest market may cost, as a multiple of the smallest. */
const flat = 1.5;

/** The registry's rows. A chain of its own: 100,000 offers are set up in transactions above the usual cap. */
export async function registry(sizes: readonly number[]): Promise<Row[]> {
  const s = await setting();
  await s.chain.measure("registerProvider, native, first of the owner", s.payee, s.registry, "registerProvider", [
    "other",
    ratePerSecond,
    "https://provider.example",
    0,
  ]);
  await s.chain.measure("registerProvider, native", s.payee, s.registry, "registerProvider", [
    "other",
    ratePerSecond + 1n,
    "https://provider.example",
    0,
  ]);
  await s.chain.measure("updateProvider, new price", s.payee, s.registry, "updateProvider", [
    2n,
    ratePerSecond - 1n,
    "https://provider.example",
    true,
  ]);
  await s.chain.measure("updateProvider, off the market", s.payee, s.registry, "updateProvider", [
    2n,
    ratePerSecond - 1n,
    "https://provider.example",
    false,
  ]);
  await s.chain.close();

  const market = await setting("roomy");
  const { chain } = market;
  const caller = await chain.deploy(bench("Bench", "RegistryCaller"));
  const at = market.registry.address;
  let registered = 0;
  let smallest: number | undefined;
  for (const size of sizes) {
    while (registered < size) {
      const to = Math.min(size, registered + 2000);
      await chain.send(market.payee, caller, "register", [at, registered, to]);
      registered = to;
    }
    const { logs } = await chain.send(market.payee, caller, "ask", [at]);
    const log = logs[0];
    if (log === undefined) throw new Error("the registry was not asked");
    const { args } = decodeEventLog({ abi: caller.abi, data: log.data, topics: log.topics as [] });
    const { gasUsed } = args as unknown as { gasUsed: bigint };
    smallest ??= Number(gasUsed);
    chain.record(
      `getCheapestProvider, called on chain, ${size.toLocaleString("en-US")} providers`,
      Number(gasUsed),
      size === sizes[0] ? undefined : `<= ${Math.floor(smallest * flat)}`,
    );
  }
  await chain.close();
  return [...s.chain.rows, ...chain.rows];
}
