import { computeRegistryAbi } from "@clawcompute/lib/abi";
import { networkOf } from "@clawcompute/lib/config/network";
import { type Address, encodeAbiParameters, encodeEventTopics, type Hex, keccak256, toEventSelector, toHex } from "viem";

/** A log as an RPC endpoint answers it. */
export interface SyntheticLog {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: Hex;
  readonly blockHash: Hex;
  readonly transactionHash: Hex;
  readonly transactionIndex: Hex;
  readonly logIndex: Hex;
  readonly blockTimestamp: Hex;
  readonly removed: false;
}

export const PROVIDERS = 10_000;
const PROVIDERS_A_BLOCK = 50;
export const MARKET_OPENS = PROVIDERS / PROVIDERS_A_BLOCK;
export const STREAMS_A_BLOCK = 20;
const BLOCK_SECONDS = 3;
const START = 1_780_000_000;
const ZERO = "0".repeat(64);

const { registry, streamPay, paymentChannel } = networkOf({ name: "local" }).contracts;
const word = (value: number | bigint) => value.toString(16).padStart(64, "0");
const account = (kind: string, index: number): string => `${kind}${index.toString(16)}`.padStart(40, kind).padStart(64, "0");
const payer = (index: number) => account("a", index);
const owner = (index: number) => account("b", index);
export const payerAddress = (index: number) => `0x${payer(index).slice(24)}` as Address;
export const ownerAddress = (index: number) => `0x${owner(index).slice(24)}` as Address;
export const PAYERS = 20_000;
const KEEPERS = 5;

const selector = (signature: string) => toEventSelector(`event ${signature}`);
const topic = {
  created: selector("StreamCreated(uint256,address,address,address,uint256,uint256,uint256,uint256,uint8)"),
  toppedUp: selector("StreamToppedUp(uint256,address,uint256,uint256)"),
  withdrawn: selector("StreamWithdrawn(uint256,address,uint256)"),
  cancelled: selector("StreamCancelled(uint256,address,uint256,uint256)"),
  settled: selector("StreamSettled(uint256,uint256,uint256)"),
  updated: selector("StreamUpdated(uint256,uint256,uint256,bool)"),
  creditAdded: selector("CreditAdded(address,address,uint256)"),
  completion: selector("CompletionRecorded(uint256,uint256,uint256)"),
  providerUpdated: selector("ProviderUpdated(uint256,uint256,string,bool)"),
  channelOpened: selector("ChannelOpened(bytes32,address,address,address,address,bytes32,uint256)"),
  channelSettled: selector("ChannelSettled(bytes32,uint256,uint256)"),
  channelClosed: selector("ChannelClosed(bytes32,uint256,uint256,uint256)"),
};

export const timeOf = (block: number): number => START + block * BLOCK_SECONDS;
export const hashOf = (block: number): Hex => keccak256(toHex(`block ${block}`));
const transactionOf = (block: number, index: number): Hex => `0x${word(BigInt(block) * 1_000n + BigInt(index))}`;
export const keeperOf = (hash: Hex): Address => `0x${account("c", Number(BigInt(hash) % BigInt(KEEPERS))).slice(24)}`;
const rateOf = (stream: number) => 1_000 + (stream % 97) * 10;
const providerOf = (stream: number) => 1 + ((stream * 7_919) % PROVIDERS);
const secondsOf = (stream: number) => 600 + (stream % 11) * 300;
export const modelOf = (provider: number) => `model-${provider % 40}`;

/**
 * The events of a block: a market of 10,000 offers, then twenty new streams in each block, each with a life by its number: updated by a
 * keeper, paid out, topped up, and six of ten ended; and a channel. The same for one block whenever it is asked for.
 */
export function eventsOf(block: number): SyntheticLog[] {
  const logs: SyntheticLog[] = [];
  const blockHash = hashOf(block);
  const [blockNumber, blockTimestamp] = [toHex(block), toHex(timeOf(block))];
  const add = (address: Address, transaction: number, topics: readonly (Hex | string)[], data: string) => {
    logs.push({
      address,
      topics: topics.map((one): Hex => (one.startsWith("0x") ? (one as Hex) : `0x${one}`)),
      data: `0x${data}`,
      blockNumber,
      blockHash,
      transactionHash: transactionOf(block, transaction),
      transactionIndex: toHex(transaction),
      logIndex: toHex(logs.length),
      blockTimestamp,
      removed: false,
    });
  };

  if (block < 1) return logs;
  if (block <= MARKET_OPENS) {
    for (let index = 0; index < PROVIDERS_A_BLOCK; index += 1) {
      const id = (block - 1) * PROVIDERS_A_BLOCK + index + 1;
      const topics = encodeEventTopics({
        abi: computeRegistryAbi,
        eventName: "ProviderRegistered",
        args: { id: BigInt(id), owner: ownerAddress(id), modelHash: keccak256(toHex(modelOf(id))) },
      }) as Hex[];
      const data = encodeAbiParameters(
        [{ type: "string" }, { type: "address" }, { type: "uint256" }, { type: "string" }, { type: "uint8" }],
        [modelOf(id), "0x0000000000000000000000000000000000000000", BigInt(1_000 + (id % 500)), `https://provider-${id}.example/`, id % 4],
      );
      add(registry, index, topics, data.slice(2));
    }
    return logs;
  }

  const opened = (age: number): number[] => {
    const at = block - age;
    if (at <= MARKET_OPENS) return [];
    const first = (at - MARKET_OPENS - 1) * STREAMS_A_BLOCK + 1;
    return Array.from({ length: STREAMS_A_BLOCK }, (_, index) => first + index);
  };
  const completed = (stream: number, transaction: number, amount: number) =>
    add(registry, transaction, [topic.completion, word(providerOf(stream))], word(1) + word(amount));
  const credit = (stream: number, transaction: number, amount: number) =>
    add(streamPay, transaction, [topic.creditAdded, owner(providerOf(stream)), ZERO], word(amount));

  for (const stream of opened(0)) {
    const start = timeOf(block);
    const data =
      ZERO + word(rateOf(stream)) + word(start) + word(start + secondsOf(stream)) + word(providerOf(stream)) + word(providerOf(stream) % 4);
    add(
      streamPay,
      100 + (stream % STREAMS_A_BLOCK),
      [topic.created, word(stream), payer(stream % PAYERS), owner(providerOf(stream))],
      data,
    );
  }
  // One keeper's transaction for every second stream of that age.
  for (const stream of opened(20).filter((one) => one % 2 === 0)) {
    const accrued = rateOf(stream) * 20 * BLOCK_SECONDS;
    const reward = Math.floor(accrued / 1_000);
    add(streamPay, 1, [topic.updated, word(stream)], word(accrued) + word(reward) + word(0));
    completed(stream, 1, accrued - reward);
    credit(stream, 1, accrued - reward);
  }
  for (const stream of opened(40)) {
    const since = stream % 2 === 0 ? 20 : 40;
    if (stream % 3 === 0) {
      const amount = rateOf(stream) * since * BLOCK_SECONDS;
      add(streamPay, 200 + (stream % STREAMS_A_BLOCK), [topic.withdrawn, word(stream), owner(providerOf(stream))], word(amount));
      completed(stream, 200 + (stream % STREAMS_A_BLOCK), amount);
    }
    if (stream % 13 === 0) {
      const end = timeOf(block - 40) + secondsOf(stream) + 60;
      add(
        streamPay,
        300 + (stream % STREAMS_A_BLOCK),
        [topic.toppedUp, word(stream), payer(stream % PAYERS)],
        word(rateOf(stream) * 60) + word(end),
      );
    }
  }
  for (const stream of opened(60).filter((one) => one % 10 < 6)) {
    const transaction = 400 + (stream % STREAMS_A_BLOCK);
    const paidUpTo = stream % 3 === 0 ? 40 : stream % 2 === 0 ? 20 : 0;
    const paid = rateOf(stream) * (60 - paidUpTo) * BLOCK_SECONDS;
    const extra = stream % 13 === 0 ? 60 : 0;
    const refunded = rateOf(stream) * (secondsOf(stream) + extra - 60 * BLOCK_SECONDS);
    if (stream % 10 < 3) add(streamPay, transaction, [topic.cancelled, word(stream), payer(stream % PAYERS)], word(paid) + word(refunded));
    else add(streamPay, transaction, [topic.settled, word(stream)], word(paid) + word(refunded));
    completed(stream, transaction, paid);
    credit(stream, transaction, paid);
  }
  const channel = (at: number) => keccak256(toHex(`channel ${at}`));
  add(
    paymentChannel,
    500,
    [topic.channelOpened, channel(block), payer(block % PAYERS), owner(1 + (block % PROVIDERS))],
    ZERO + ZERO + word(block) + word(50_000),
  );
  if (block - 30 > MARKET_OPENS) add(paymentChannel, 501, [topic.channelSettled, channel(block - 30)], word(20_000) + word(20_000));
  if (block - 60 > MARKET_OPENS && block % 2 === 0)
    add(paymentChannel, 502, [topic.channelClosed, channel(block - 60)], word(10_000) + word(30_000) + word(20_000));
  const changed = 1 + ((block * 31) % PROVIDERS);
  const update = encodeAbiParameters(
    [{ type: "uint256" }, { type: "string" }, { type: "bool" }],
    [BigInt(1_000 + (block % 500)), `https://provider-${changed}.example/`, block % 9 !== 0],
  );
  add(registry, 600, [topic.providerUpdated, word(changed)], update.slice(2));
  return logs;
}
