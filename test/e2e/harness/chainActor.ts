import { type Chain, type ContractCall, decodeRevert } from "@clawcompute/lib/chain";
import { createWalletClient, encodeFunctionData, type Hash, http, type LocalAccount, type TransactionReceipt } from "viem";

export interface ChainActor {
  /** Sends all at once, in this order, and waits until every one is mined; throws when one is refused. */
  send(...calls: readonly ContractCall[]): Promise<TransactionReceipt[]>;
}

/** An account that acts on the chain beside the page; nothing else may send with it meanwhile. */
export function chainActor(chain: Chain, account: LocalAccount): ChainActor {
  const [rpcUrl] = chain.network.rpcUrls;
  const wallet = createWalletClient({ account, chain: chain.client.chain, transport: http(rpcUrl) });
  return {
    send: async (...calls) => {
      const nonce = await chain.client.getTransactionCount({ address: account.address, blockTag: "pending" });
      const gasPrice = (await chain.client.getGasPrice()) * 3n;
      const hashes: Hash[] = [];
      for (const [index, { contract, abi, functionName, args, value }] of calls.entries()) {
        const to = contract.startsWith("0x") ? (contract as Hash) : chain.network.contracts[contract as "registry"];
        const data = encodeFunctionData({ abi, functionName, args });
        const request = { to, data, nonce: nonce + index, gas: 1_500_000n, gasPrice, ...(value === undefined ? {} : { value }) };
        hashes.push(await wallet.sendTransaction({ chain: wallet.chain ?? null, ...request }));
      }
      const receipts = await Promise.all(hashes.map((hash) => chain.client.waitForTransactionReceipt({ hash, pollingInterval: 100 })));
      for (const [index, { status, blockNumber }] of receipts.entries()) {
        if (status === "success") continue;
        const { contract, abi, functionName, args, value } = calls[index] as ContractCall;
        const to = contract.startsWith("0x") ? (contract as Hash) : chain.network.contracts[contract as "registry"];
        const data = encodeFunctionData({ abi, functionName, args });
        await chain.client
          .call({ to, data, account: account.address, blockNumber: blockNumber - 1n, ...(value === undefined ? {} : { value }) })
          .catch((thrown) => Promise.reject(decodeRevert(thrown)));
        throw new Error(`${functionName} was refused`);
      }
      return receipts;
    },
  };
}
