import { type Abi, type AbiEvent, type AbiParameter, decodeAbiParameters, type Hash, type Hex, type Log, toEventSelector } from "viem";
import { computeRegistryAbi, paymentChannelAbi, streamPayAbi } from "../abi/index.ts";
import type { Contracts } from "../config/network.ts";

/** A decoded event of one of our contracts. Strings in `args` are untrusted text. */
export interface ChainEvent {
  readonly contract: keyof Contracts;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly blockNumber: bigint;
  readonly blockHash: Hash;
  readonly logIndex: number;
  readonly transactionHash: Hash;
  /** Unix seconds; known for recent blocks and where the endpoint tells it. */
  readonly timestamp?: number;
}

interface Decoder {
  readonly name: string;
  readonly indexed: readonly AbiParameter[];
  readonly others: readonly AbiParameter[];
}

/** By first topic. Made once: looking an event up in an ABI hashes the signature of each event before it, for every log. */
const decodersOf = (abi: Abi): ReadonlyMap<Hex, Decoder> =>
  new Map(
    abi
      .filter((item): item is AbiEvent => item.type === "event")
      .map((event) => [
        toEventSelector(event),
        {
          name: event.name,
          indexed: event.inputs.filter(({ indexed }) => indexed),
          others: event.inputs.filter(({ indexed }) => !indexed),
        },
      ]),
  );

const decoders: Readonly<Record<keyof Contracts, ReadonlyMap<Hex, Decoder>>> = {
  registry: decodersOf(computeRegistryAbi),
  streamPay: decodersOf(streamPayAbi),
  paymentChannel: decodersOf(paymentChannelAbi),
};

/** The events among `logs` in the order of the chain; `times` are those of blocks by hash. What is none of ours is left out. */
export function decodeLogs(
  addresses: Readonly<Record<keyof Contracts, string>>,
  contracts: readonly (keyof Contracts)[],
  logs: readonly Log[],
  times?: ReadonlyMap<Hash, number>,
): ChainEvent[] {
  const contractAt = new Map(contracts.map((contract) => [addresses[contract].toLowerCase(), contract]));
  const events: ChainEvent[] = [];
  for (const log of logs) {
    const contract = contractAt.get(log.address.toLowerCase());
    const { blockNumber, blockHash, logIndex, transactionHash } = log;
    if (!contract || blockNumber === null || blockHash === null || logIndex === null || transactionHash === null) continue;
    const decoder = decoders[contract].get(log.topics[0] as Hex);
    const args = decoder && argsOf(decoder, log);
    if (!args) continue;
    const timestamp = times?.get(blockHash) ?? blockTimestampOf(log);
    const place = { blockNumber, blockHash, logIndex, transactionHash, ...(timestamp === undefined ? {} : { timestamp }) };
    events.push({ contract, name: decoder.name, args, ...place });
  }
  return events.sort((a, b) => (a.blockNumber === b.blockNumber ? a.logIndex - b.logIndex : a.blockNumber < b.blockNumber ? -1 : 1));
}

/** Undefined when the log does not hold what the event has. */
function argsOf({ indexed, others }: Decoder, { topics, data }: Log): Record<string, unknown> | undefined {
  if (topics.length !== indexed.length + 1) return undefined;
  try {
    const args: Record<string, unknown> = {};
    for (const [at, input] of indexed.entries()) args[input.name as string] = decodeAbiParameters([input], topics[at + 1] as Hex)[0];
    const values = others.length > 0 ? decodeAbiParameters(others, data) : [];
    for (const [at, input] of others.entries()) args[input.name as string] = values[at];
    return args;
  } catch {
    return undefined;
  }
}

/** Some endpoints add it to each log. */
function blockTimestampOf(log: object): number | undefined {
  const { blockTimestamp } = log as { blockTimestamp?: bigint | string | null };
  return blockTimestamp === undefined || blockTimestamp === null ? undefined : Number(blockTimestamp);
}
