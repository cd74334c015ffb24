import { type Address, encodeFunctionData, zeroAddress } from "viem";

import type { Chain, Deployed } from "../chain.ts";
import { bench, published } from "../compile.ts";

/** Sablier's fee comptroller behind its ERC-1967 proxy, as deployed, with every fee at zero. */
export async function comptroller(chain: Chain): Promise<Address> {
  const admin = chain.account(0);
  const artifact = published("@sablier/evm-utils/artifacts/SablierComptroller.json");
  const logic = await chain.deploy(artifact, [admin]);
  const init = encodeFunctionData({ abi: artifact.abi, functionName: "initialize", args: [admin, 0n, 0n, 0n, 0n, zeroAddress] });
  const proxy = await chain.deploy(published("@sablier/evm-utils/artifacts/ERC1967Proxy.json"), [logic.address, init]);
  return proxy.address;
}

export async function fundedToken(chain: Chain, holder: Address, spender: Address): Promise<Deployed> {
  const token = await chain.deploy(bench("Bench", "BenchToken"), [18]);
  await chain.send(holder, token, "mint", [holder, 10n ** 30n]);
  await chain.send(holder, token, "approve", [spender, 2n ** 256n - 1n]);
  return token;
}

/** Distinct addresses that look like real ones (few zero bytes). */
export function address(i: number): Address {
  const n = (BigInt(i) + 1n) * 0x9e3779b97f4a7c15f39cc0605cedc8341082276bn;
  return `0x${(n % 2n ** 160n).toString(16).padStart(40, "7")}` as Address;
}
