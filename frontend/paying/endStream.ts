import { type Chain, readStream, streamEventsOf, streamPayWrites } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Settlement } from "@clawcompute/lib/protocol";
import type { Address, TransactionReceipt } from "viem";
import type { Ending, Payer } from "./payment.ts";
import { sendByWallet } from "./walletCall.ts";

interface Ended {
  readonly id: bigint;
  readonly asset: Address;
}

/** The chain's clock decides. */
export const cancelByWallet = async ({ chain, wallet }: Payer, ended: Ended): Promise<Ending> =>
  endingIn(await sendByWallet(chain, wallet, streamPayWrites.cancelStream(ended.id)), chain, ended);

/** Pays what the provider signed as owed; when the chain refuses it, what the clock says. */
export async function settleByWallet(payer: Payer, ended: Ended, { owed, signature }: Settlement): Promise<Ending> {
  try {
    // The contract never lets a settlement take more than the clock says, so even a bold one costs no more than cancelling.
    const call = streamPayWrites.settleStream({ id: ended.id, owed, signature });
    return await endingIn(await sendByWallet(payer.chain, payer.wallet, call), payer.chain, ended);
  } catch (thrown) {
    const { code } = AppError.from(thrown);
    if (!code.startsWith("STREAM_PAY_") || code === "STREAM_PAY_UNKNOWN_STREAM") throw thrown;
    return cancelByWallet(payer, ended);
  }
}

async function endingIn(receipt: TransactionReceipt, chain: Chain, { id, asset }: Ended): Promise<Ending> {
  const common = { asset, hash: receipt.transactionHash, overclaimed: false };
  for (const { eventName, args } of streamEventsOf(receipt, chain)) {
    if (eventName !== "StreamSettled" && eventName !== "StreamCancelled") continue;
    const kind = eventName === "StreamSettled" ? "settled" : "cancelled";
    return { kind, paid: args.paid + (await paidBefore(chain, id, receipt.blockNumber)), refunded: args.refunded, ...common };
  }
  return { kind: "gone", paid: 0n, refunded: 0n, ...common };
}

/** The event tells only what its own call paid: a keeper or the payee may have collected before. */
async function paidBefore(chain: Chain, id: bigint, block: bigint): Promise<bigint> {
  const { ratePerSecond, lastPaid, start } = await readStream(chain, id, block - 1n);
  return ratePerSecond * BigInt(Math.max(0, lastPaid - start));
}
