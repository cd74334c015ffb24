import type { Chain } from "@clawcompute/lib/chain";
import { readArtifact } from "@clawcompute/lib/testing";
import { type Abi, type Address, createWalletClient, encodeDeployData, getAddress, http, type LocalAccount } from "viem";

/** Deploys the tests' token. */
export async function deployMockToken(
  chain: Chain,
  deployer: LocalAccount,
  name: string,
  symbol: string,
  decimals: number,
): Promise<Address> {
  const { abi, bytecode } = readArtifact("MockToken", "mocks/MockToken.sol") as unknown as { abi: Abi; bytecode: `0x${string}` };
  const wallet = createWalletClient({ account: deployer, chain: chain.client.chain, transport: http(chain.network.rpcUrls[0]) });
  const data = encodeDeployData({ abi, bytecode, args: [name, symbol, decimals] });
  const hash = await wallet.sendTransaction({ data, chain: wallet.chain ?? null });
  const { contractAddress } = await chain.client.waitForTransactionReceipt({ hash, pollingInterval: 100 });
  if (!contractAddress) throw new Error("the token was not deployed");
  return getAddress(contractAddress);
}
