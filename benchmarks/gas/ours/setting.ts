// The product's three contracts, deployed as the deploy script does it, and the parties of every row.
import { type Address, getContractAddress, hexToNumber } from "viem";

import { Chain, type Deployed } from "../chain.ts";
import { bench, shipped } from "../compile.ts";

export const suite = "ClawCompute";
/** About 0.000001 coin a second, with few zero bytes. */
export const ratePerSecond = 10n ** 12n + 345_678_901n;
export const never = 2n ** 40n;

export interface Setting {
  chain: Chain;
  registry: Deployed;
  streamPay: Deployed;
  channel: Deployed;
  token: Deployed;
  payer: Address;
  payee: Address;
  keeper: Address;
  relayer: Address;
  /** Index of the payer's voucher key among the development accounts. */
  hotIndex: number;
}

export async function setting(room?: "roomy"): Promise<Setting> {
  const chain = await Chain.start(suite, room);
  const deployer = chain.account(0);
  const nonce = BigInt(hexToNumber(await chain.rpc("eth_getTransactionCount", [deployer, "latest"])));
  const at = (offset: bigint) => getContractAddress({ from: deployer, nonce: nonce + offset });
  const registry = await chain.deploy(await shipped("ComputeRegistry"), [at(1n), at(2n)]);
  const streamPay = await chain.deploy(await shipped("StreamPay"), [registry.address]);
  const channel = await chain.deploy(await shipped("PaymentChannel"), [registry.address]);
  const token = await chain.deploy(bench("Bench", "BenchToken"), [18]);
  const [payer, payee, keeper, relayer] = [1, 2, 3, 4].map((index) => chain.account(index)) as [Address, Address, Address, Address];
  // Steady state: everybody holds some of everything, so no row pays for a balance's first use.
  for (const account of [payer, payee, keeper, streamPay.address, channel.address])
    await chain.send(payer, token, "mint", [account, 10n ** 30n]);
  for (const spender of [streamPay, channel]) await chain.send(payer, token, "approve", [spender.address, 2n ** 256n - 1n]);
  return { chain, registry, streamPay, channel, token, payer, payee, keeper, relayer, hotIndex: 5 };
}
