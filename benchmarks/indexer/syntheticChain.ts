// A process that answers like an RPC endpoint, from a generator: no chain could make a million events in the time of a benchmark.
// POST / takes JSON-RPC; POST /head moves the newest block. Says its URL on its first line.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Hex, toHex } from "viem";
import { eventsOf, hashOf, keeperOf, type SyntheticLog, timeOf } from "./syntheticEvents.ts";

/** As large providers limit it; the indexer finds its range by it. */
const MOST_LOGS = 10_000;
let head = 0;
const numbers = new Map<Hex, number>();

interface Request {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

function blockAt(number: number): object | null {
  if (number > head || number < 0) return null;
  const hash = hashOf(number);
  numbers.set(hash, number);
  const empty = `0x${"0".repeat(64)}`;
  return {
    number: toHex(number),
    hash,
    parentHash: number === 0 ? empty : hashOf(number - 1),
    timestamp: toHex(timeOf(number)),
    transactions: [],
    gasLimit: "0x0",
    gasUsed: "0x0",
    size: "0x0",
    difficulty: "0x0",
    extraData: "0x",
    logsBloom: "0x",
    miner: "0x0000000000000000000000000000000000000000",
    mixHash: empty,
    nonce: "0x0000000000000000",
    receiptsRoot: empty,
    sha3Uncles: empty,
    stateRoot: empty,
    transactionsRoot: empty,
    uncles: [],
  };
}

function logsOf({ fromBlock, toBlock, blockHash }: { fromBlock?: Hex; toBlock?: Hex; blockHash?: Hex }): SyntheticLog[] {
  if (blockHash) return eventsOf(numbers.get(blockHash) ?? -1);
  const logs: SyntheticLog[] = [];
  for (let block = Number(fromBlock); block <= Math.min(head, Number(toBlock)); block += 1) {
    logs.push(...eventsOf(block));
    if (logs.length > MOST_LOGS) throw new Error(`query returned more than ${MOST_LOGS} results`);
  }
  return logs;
}

function answer({ method, params }: Request): unknown {
  switch (method) {
    case "eth_chainId":
      return toHex(31337);
    case "eth_blockNumber":
      return toHex(head);
    case "eth_getBlockByNumber":
      return blockAt(params[0] === "latest" ? head : Number(params[0]));
    case "eth_getBlockByHash":
      return blockAt(numbers.get(params[0] as Hex) ?? -1);
    case "eth_getLogs":
      return logsOf(params[0] as Parameters<typeof logsOf>[0]);
    case "eth_getTransactionReceipt": {
      const hash = params[0] as Hex;
      const block = Number(BigInt(hash) / 1_000n);
      const shared = { transactionHash: hash, blockNumber: toHex(block), blockHash: hashOf(block), logs: [], status: "0x1", type: "0x2" };
      const to = "0x0000000000000000000000000000000000000001";
      return {
        ...shared,
        from: keeperOf(hash),
        to,
        gasUsed: toHex(200_000),
        cumulativeGasUsed: "0x0",
        effectiveGasPrice: toHex(1_000_000_000),
        transactionIndex: "0x1",
        logsBloom: "0x",
        contractAddress: null,
      };
    }
    default:
      throw new Error(`${method} is not answered here`);
  }
}

function respond(request: Request): object {
  try {
    return { jsonrpc: "2.0", id: request.id, result: answer(request) };
  } catch (thrown) {
    return { jsonrpc: "2.0", id: request.id, error: { code: -32005, message: (thrown as Error).message } };
  }
}

const server = createServer((incoming, outgoing) => {
  const parts: Buffer[] = [];
  incoming.on("data", (part) => parts.push(part));
  incoming.on("end", () => {
    const body = JSON.parse(Buffer.concat(parts).toString());
    if (incoming.url === "/head") head = Number(body.head);
    const answered = incoming.url === "/head" ? { head } : Array.isArray(body) ? body.map(respond) : respond(body);
    outgoing.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answered));
  });
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
