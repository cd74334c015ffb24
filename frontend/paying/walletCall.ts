import { type Chain, type ContractCall, decodeRevert } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { type Address, encodeFunctionData, type Hash, type TransactionReceipt, UserRejectedRequestError, type WalletClient } from "viem";

/** A wallet that is connected, on the right chain. */
export type Wallet = WalletClient & { readonly account: NonNullable<WalletClient["account"]> };

/** Simulates first, so that a refusal costs nothing; then asks the wallet, and waits until it counts as done. */
export async function sendByWallet(chain: Chain, wallet: Wallet, call: ContractCall): Promise<TransactionReceipt> {
  const request = requestOf(chain, call);
  let hash: Hash;
  try {
    const needed = await chain.client.estimateGas({ account: wallet.account.address, ...request });
    const padded = (needed * 5n) / 4n;
    const gas = call.gasFloor !== undefined && call.gasFloor > padded ? call.gasFloor : padded;
    hash = await wallet.sendTransaction({ account: wallet.account, chain: wallet.chain ?? null, ...request, gas });
  } catch (thrown) {
    throw refusalOf(thrown) ?? decodeRevert(thrown);
  }
  let receipt: TransactionReceipt;
  try {
    receipt = await chain.client.waitForTransactionReceipt({ hash, confirmations: chain.network.confirmations, timeout: 120_000 });
  } catch (cause) {
    throw new AppError("TRANSACTION_UNCERTAIN", "The transaction was sent, but its outcome is not known yet.", { facts: { hash }, cause });
  }
  if (receipt.status === "success") return receipt;
  throw new AppError("TRANSACTION_REVERTED", "The transaction was mined and refused; only gas was spent.", { facts: { hash } });
}

/** Gas in units. Throws the contract's own refusal. */
export async function estimateGas(chain: Chain, wallet: Wallet, call: ContractCall): Promise<bigint> {
  try {
    return await chain.client.estimateGas({ account: wallet.account.address, ...requestOf(chain, call) });
  } catch (thrown) {
    throw decodeRevert(thrown);
  }
}

function requestOf({ network }: Chain, { contract, abi, functionName, args, value }: ContractCall) {
  const to = contract.startsWith("0x") ? (contract as Address) : network.contracts[contract as keyof typeof network.contracts];
  return { to, data: encodeFunctionData({ abi, functionName, args }), ...(value === undefined ? {} : { value }) };
}

/** A person said no in the wallet. */
export function refusalOf(thrown: unknown): AppError | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    const { code } = error as { code?: unknown };
    if (error instanceof UserRejectedRequestError || code === 4001) {
      return new AppError("ABORTED", "You refused it in the wallet; nothing was paid.", {
        hint: "Try again when you want to.",
        cause: thrown,
      });
    }
  }
  return undefined;
}
