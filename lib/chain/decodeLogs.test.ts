import { type Abi, type AbiEvent, encodeAbiParameters, encodeEventTopics, type Hex, type Log, pad, toHex } from "viem";
import { decodeEventLog } from "viem/utils";
import { describe, expect, it } from "vitest";
import { computeRegistryAbi, paymentChannelAbi, streamPayAbi } from "../abi/index.ts";
import { networkOf } from "../config/network.ts";
import { decodeLogs } from "./decodeLogs.ts";

const { contracts } = networkOf({ name: "local" });
const abis: Readonly<Record<keyof typeof contracts, Abi>> = {
  registry: computeRegistryAbi,
  streamPay: streamPayAbi,
  paymentChannel: paymentChannelAbi,
};
const names = ["registry", "streamPay", "paymentChannel"] as const;
const hash = (value: number) => pad(toHex(value), { size: 32 });

function sampleOf(type: string, seed: number): unknown {
  if (type === "address") return pad(toHex(seed * 7_919), { size: 20 });
  if (type === "bool") return seed % 2 === 0;
  if (type === "string") return `name ${seed} \u{1f980}`;
  if (type === "bytes32") return hash(seed);
  return /^uint(8|16|32)$/.test(type) ? seed % 200 : BigInt(seed);
}

function logOf(contract: keyof typeof contracts, event: AbiEvent, seed: number, logIndex: number): Log {
  const args = Object.fromEntries(event.inputs.map(({ name, type }, at) => [name, sampleOf(type, seed + at)]));
  const topics = encodeEventTopics({ abi: [event], eventName: event.name, args } as never) as [Hex, ...Hex[]];
  const others = event.inputs.filter(({ indexed }) => !indexed);
  const data = encodeAbiParameters(
    others,
    others.map(({ name }) => args[name as string]),
  );
  const place = { blockNumber: 5n, blockHash: hash(5), transactionHash: hash(6), transactionIndex: 0, logIndex, removed: false };
  return { address: contracts[contract], topics, data, ...place } as Log;
}

const samples = names.flatMap((contract) =>
  abis[contract].filter((item): item is AbiEvent => item.type === "event").map((event) => ({ contract, event })),
);

describe("decodeLogs", () => {
  it("behavior: every event of every contract is what viem decodes", () => {
    const logs = samples.map(({ contract, event }, index) => logOf(contract, event, 1_000 + index, index));
    const events = decodeLogs(contracts, names, logs);
    expect(events.length).toBe(samples.length);
    for (const [index, { contract, event }] of samples.entries()) {
      const log = logs[index] as Log;
      const { eventName, args } = decodeEventLog({ abi: abis[contract], data: log.data, topics: log.topics }) as {
        eventName: string;
        args: unknown;
      };
      expect(events[index]).toMatchObject({ contract, name: event.name, logIndex: index });
      expect({ name: events[index]?.name, args: events[index]?.args }).toEqual({ name: eventName, args: args ?? {} });
    }
  });

  it("behavior: in the order of the chain, with the time where it is known", () => {
    const [sample] = samples as [(typeof samples)[number]];
    const logs = [3, 1, 2].map((index) => logOf(sample.contract, sample.event, 1, index));
    const told = { ...(logs[0] as Log), blockTimestamp: "0x64" } as unknown as Log;
    const events = decodeLogs(contracts, names, [told, ...logs.slice(1)], new Map());
    expect(events.map(({ logIndex, timestamp }) => [logIndex, timestamp])).toEqual([
      [1, undefined],
      [2, undefined],
      [3, 100],
    ]);
    expect(decodeLogs(contracts, names, logs, new Map([[hash(5), 7]])).every(({ timestamp }) => timestamp === 7)).toBe(true);
  });

  it("error: what is not one of our events, or is cut or pending, is left out", () => {
    const [{ contract, event }] = samples as [(typeof samples)[number]];
    const log = logOf(contract, event, 1, 0);
    const others = [
      { ...log, address: hash(1).slice(0, 42) as Hex },
      { ...log, topics: [hash(1)] },
      { ...log, topics: log.topics.slice(0, 1) },
      { ...log, topics: [] },
      { ...log, data: log.data.slice(0, 60) as Hex },
      { ...log, blockNumber: null },
    ] as Log[];
    expect(decodeLogs(contracts, names, others)).toEqual([]);
    expect(decodeLogs(contracts, [], [log])).toEqual([]);
  });
});
