import {
  type Address,
  type ContractEventName,
  type Log,
  type ParseEventLogsReturnType,
  parseEventLogs,
  type TransactionReceipt,
} from "viem";
import { streamPayAbi } from "../abi/index.ts";
import { AppError } from "../errors/index.ts";
import type { Chain } from "./connect.ts";
import { reading } from "./reading.ts";

/** A stream as the chain holds it. Times are unix seconds, amounts raw units of `asset`. */
export interface StreamState {
  readonly id: bigint;
  readonly payer: Address;
  readonly payee: Address;
  readonly asset: Address;
  readonly ratePerSecond: bigint;
  readonly start: number;
  readonly end: number;
  /** Everything that accrued before this time was paid. */
  readonly lastPaid: number;
  /** 0: a stream that names no provider. */
  readonly providerId: number;
  readonly status: "unknown" | "active" | "ended" | "closed";
}

const statuses = ["unknown", "active", "ended", "closed"] as const;

/** Both reads see the same block. An id that was never used has status "unknown"; one that is gone "closed". */
export async function readStream(chain: Chain, id: bigint, at?: bigint): Promise<StreamState> {
  const blockNumber = at ?? (await reading(() => chain.client.getBlockNumber()));
  const streamPay = { address: chain.network.contracts.streamPay, abi: streamPayAbi, blockNumber } as const;
  const [stream, status] = await reading(() =>
    Promise.all([
      chain.client.readContract({ ...streamPay, functionName: "getStream", args: [id] }),
      chain.client.readContract({ ...streamPay, functionName: "statusOf", args: [id] }),
    ]),
  );
  const { payer, payee, asset, ratePerSecond, start, end, lastPaid, providerId } = stream;
  return { id, payer, payee, asset, ratePerSecond, start, end, lastPaid, providerId, status: statuses[status] ?? "unknown" };
}

export type StreamEvent = ParseEventLogsReturnType<typeof streamPayAbi, ContractEventName<typeof streamPayAbi>, true>[number];

/** StreamPay's events in a receipt, in order: a new stream's id comes from here, never from a counter. */
export function streamEventsOf(receipt: TransactionReceipt, chain?: Chain): StreamEvent[] {
  const own = (log: Log) => chain === undefined || log.address.toLowerCase() === chain.network.contracts.streamPay.toLowerCase();
  return parseEventLogs({ abi: streamPayAbi, logs: receipt.logs.filter(own) });
}

/** The id of the stream that a transaction opened. */
export function createdStreamId(receipt: TransactionReceipt, chain?: Chain): bigint {
  const created = streamEventsOf(receipt, chain).find((event) => event.eventName === "StreamCreated");
  if (!created) throw new AppError("INTERNAL", "The transaction opened no stream.", { facts: { hash: receipt.transactionHash } });
  return created.args.id;
}
