import { type Chain, channelEventsOf, channelWrites, readChannel } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Address, Hex, TransactionReceipt } from "viem";
import type { Ending, Payer } from "./payment.ts";
import { sendByWallet } from "./walletCall.ts";

/** Of the contract: between the payer's notice and its withdrawal. */
const GRACE_SECONDS = 900;
const CLOSED_WITHIN_MS = 20_000;
const LOOK_MS = 500;

interface Ended {
  readonly id: Hex;
  readonly asset: Address;
  readonly openBlock: bigint;
}

/** Waits until the provider's closing is in a block; undefined when it does not come. */
export async function closedByProvider(chain: Chain, ended: Ended): Promise<Ending | undefined> {
  const deadline = performance.now() + CLOSED_WITHIN_MS;
  while ((await readChannel(chain, ended.id)).status !== "closed") {
    if (performance.now() > deadline) return undefined;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  const logs = await chain.client.getLogs({
    address: chain.network.contracts.paymentChannel,
    fromBlock: ended.openBlock,
    toBlock: "latest",
  });
  const receipt = { logs: logs.filter(({ topics }) => topics[1] === ended.id) } as unknown as TransactionReceipt;
  const closing = channelEventsOf(receipt, chain).find(({ eventName }) => eventName === "ChannelClosed");
  if (closing?.eventName !== "ChannelClosed") return undefined;
  const { settled: paid, refunded } = closing.args;
  return { kind: "settled", asset: ended.asset, paid, refunded, hash: closing.transactionHash, overclaimed: false };
}

/**
 * Without the provider: notice first, the rest after it. A provider that sees the notice closes at once, for the last voucher. Throws
 * CLOSE_PENDING until the notice is over.
 */
export async function leaveByWallet({ chain, wallet }: Payer, ended: Ended): Promise<Ending> {
  const { status, closeRequestedAt } = await readChannel(chain, ended.id);
  const now = Number((await chain.client.getBlock()).timestamp);
  if (status === "closing" && now >= closeRequestedAt + GRACE_SECONDS) {
    const receipt = await sendByWallet(chain, wallet, channelWrites.withdraw(ended.id));
    const closing = channelEventsOf(receipt, chain).find(({ eventName }) => eventName === "ChannelClosed");
    const amounts = closing?.eventName === "ChannelClosed" ? closing.args : { settled: 0n, refunded: 0n };
    const { settled: paid, refunded } = amounts;
    return { kind: "withdrawn", asset: ended.asset, paid, refunded, hash: receipt.transactionHash, overclaimed: false };
  }
  if (status === "open") await sendByWallet(chain, wallet, channelWrites.requestClose(ended.id));
  const ending = await closedByProvider(chain, ended);
  if (ending) return ending;
  const until = new Date(((closeRequestedAt || now) + GRACE_SECONDS) * 1000).toLocaleTimeString();
  throw new AppError(
    "CHANNEL_CLOSING",
    `The provider does not answer. It may take what you signed until ${until}; the rest is yours then.`,
    {
      hint: "End it once more after that time.",
    },
  );
}
