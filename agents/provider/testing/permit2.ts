import { connectChain } from "@clawcompute/lib/chain";
import { PERMIT2_ADDRESS } from "@clawcompute/lib/protocol/payments";
// biome-ignore lint/style/noRestrictedImports: test equipment
import { type LocalChain, readArtifact } from "@clawcompute/lib/testing";
import { x402ExactPermit2ProxyAddress } from "@x402/evm";
import { createPermit2ApprovalTx } from "@x402/evm/exact/client";
import { type Address, createWalletClient, type Hex, http, type LocalAccount, parseAbi } from "viem";

/** Puts a contract's code where everybody looks for it; it must have no immutables. */
export const placeCode = (local: LocalChain, address: Address, contract: string, source = `mocks/${contract}.sol`) =>
  local.request(`${local.engine}_setCode`, [
    address,
    (readArtifact(contract, source) as unknown as { deployedBytecode: Hex }).deployedBytecode,
  ]);

/** Permit2, and what x402 uses it through, at the addresses that they have on public chains. */
export async function placePermit2(local: LocalChain): Promise<void> {
  await placeCode(local, PERMIT2_ADDRESS, "MockPermit2");
  await placeCode(local, x402ExactPermit2ProxyAddress, "MockX402Permit2Proxy");
}

/** Lets Permit2 move an account's tokens, as x402's own client asks for it. */
export async function approvePermit2(local: LocalChain, account: LocalAccount, token: Address): Promise<void> {
  const { client } = connectChain(local.network);
  const hash = await createWalletClient({ account, transport: http(local.rpcUrl) }).sendTransaction({
    chain: null,
    ...createPermit2ApprovalTx(token),
  });
  await local.mine();
  await client.waitForTransactionReceipt({ hash, pollingInterval: 50 });
}

/** Whether an owner's nonce is used up. */
export async function isPermit2NonceUsed(local: LocalChain, owner: Address, nonce: bigint): Promise<boolean> {
  const bits = await connectChain(local.network).client.readContract({
    address: PERMIT2_ADDRESS,
    abi: parseAbi(["function nonceBitmap(address,uint256) view returns (uint256)"]),
    functionName: "nonceBitmap",
    args: [owner, nonce >> 8n],
  });
  return ((bits >> (nonce & 255n)) & 1n) === 1n;
}
