import { paymentChannelAbi } from "@clawcompute/lib/abi";
import { type Chain, type ChannelState, readChannel } from "@clawcompute/lib/chain";
import { type Address, formatLog, getAbiItem, type Hex, numberToHex, parseEventLogs } from "viem";
import { inRanges } from "../orphans.ts";

/** In books and transactions both are numbers: a stream's is counted from 1, a channel's is a hash. */
export const isChannelId = (id: bigint): boolean => id >= 2n ** 64n;

/** A channel of a wallet, found from the chain alone. */
export interface FoundChannel extends ChannelState {
  readonly openBlock: bigint;
}

const opened = getAbiItem({ abi: paymentChannelAbi, name: "ChannelOpened" });

/** Channels that `payer` opened since `fromBlock`, closed ones included, oldest first. */
export async function findChannels(chain: Chain, payer: Address, fromBlock: bigint): Promise<FoundChannel[]> {
  const openings = await inRanges(chain, fromBlock, async (from, to) => {
    const address = chain.network.contracts.paymentChannel;
    const logs = await chain.client.getLogs({ address, event: opened, args: { payer }, fromBlock: from, toBlock: to, strict: true });
    return logs.map(({ args, blockNumber }) => ({ id: args.channelId, openBlock: blockNumber }));
  });
  return Promise.all(openings.map(async ({ id, openBlock }) => ({ ...(await readChannel(chain, id)), openBlock })));
}

/** What a channel's events say. */
export interface ChannelLedger {
  readonly deposit: bigint;
  readonly paid: bigint;
  readonly refunded: bigint;
  readonly closed: boolean;
}

/** Adds up the channel's events since it was opened. */
export async function readChannelLedger(chain: Chain, id: Hex, openBlock: bigint): Promise<ChannelLedger> {
  const events = await inRanges(chain, openBlock, async (fromBlock, toBlock) => {
    const filter = { address: chain.network.contracts.paymentChannel, topics: [null, id] };
    const range = { fromBlock: numberToHex(fromBlock), toBlock: numberToHex(toBlock) };
    const logs = await chain.client.request({ method: "eth_getLogs", params: [{ ...filter, ...range } as never] });
    return parseEventLogs({ abi: paymentChannelAbi, logs: logs.map((log) => formatLog(log)) });
  });
  let [deposit, paid, refunded, closed] = [0n, 0n, 0n, false];
  for (const event of events) {
    switch (event.eventName) {
      case "ChannelOpened":
        deposit += event.args.deposit;
        break;
      case "ChannelToppedUp":
        deposit += event.args.amount;
        break;
      case "ChannelSettled":
        paid += event.args.paid;
        break;
      case "ChannelClosed":
        paid += event.args.paid;
        refunded += event.args.refunded;
        closed = true;
        break;
    }
  }
  return { deposit, paid, refunded, closed };
}
