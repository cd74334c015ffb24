import { connectChain, createSender } from "@clawcompute/lib/chain";
// biome-ignore lint/style/noRestrictedImports: test equipment
import { createRecordingLogger, type LocalChain, readArtifact } from "@clawcompute/lib/testing";
import { type Abi, type Address, createWalletClient, type Hex, http, type LocalAccount } from "viem";

/** A token with EIP-3009. */
const DOLLAR = { contract: "MockToken", source: "mocks/MockToken.sol", args: ["Test Dollar", "TUSD", 18] as readonly unknown[] };
/** A token that knows no authorizations, and whose transfers return nothing. */
export const PLAIN: typeof DOLLAR = { contract: "NoReturnToken", source: "mocks/AwkwardTokens.sol", args: [] };

/** A token on a local chain, and plenty of it for these accounts. */
export async function deployToken(local: LocalChain, deployer: LocalAccount, holders: readonly Address[], kind = DOLLAR) {
  const chain = connectChain(local.network);
  const { abi, bytecode } = readArtifact(kind.contract, kind.source);
  const wallet = createWalletClient({ account: deployer, transport: http(local.rpcUrl) });
  const hash = await wallet.deployContract({ abi: abi as Abi, bytecode: bytecode as Hex, args: kind.args, chain: null });
  await local.mine();
  const { contractAddress } = await chain.client.waitForTransactionReceipt({ hash, pollingInterval: 50 });
  if (!contractAddress) throw new Error("the token was not deployed");
  const sender = createSender({ chain, account: deployer, logger: createRecordingLogger() });
  for (const holder of holders) {
    const mint = { contract: contractAddress, abi: abi as Abi, functionName: "mint", args: [holder, 10n ** 24n] };
    await sender.send(mint, { onSent: () => void local.mine() });
  }
  return {
    address: contractAddress,
    balanceOf: (account: Address) =>
      chain.client.readContract({
        address: contractAddress,
        abi: abi as Abi,
        functionName: "balanceOf",
        args: [account],
      }) as Promise<bigint>,
  };
}
