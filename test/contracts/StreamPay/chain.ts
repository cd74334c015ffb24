// An in-process chain whose clock only moves when a test says so, and whose gas costs nothing, so that every balance
// that changes was changed by the contract under test.
import { artifacts, network } from "hardhat";
import {
  type Abi,
  type Address,
  decodeErrorResult,
  decodeEventLog,
  decodeFunctionResult,
  encodeDeployData,
  encodeFunctionData,
  getAddress,
  type Hex,
  hexToBigInt,
  isHex,
  numberToHex,
} from "viem";

export interface Contract {
  readonly name: string;
  readonly address: Address;
  readonly abi: Abi;
}

export interface Event {
  readonly name: string;
  readonly args: Record<string, unknown>;
}

export interface Call {
  readonly from: Address;
  readonly to: Contract;
  readonly fn: string;
  readonly args?: readonly unknown[];
  readonly value?: bigint;
  readonly gas?: bigint;
}

export interface Done {
  readonly gasUsed: bigint;
  readonly logs: readonly { address: Address; data: Hex; topics: [Hex, ...Hex[]] }[];
}

/** A call that the chain refused, with the error decoded by any contract that was deployed here. */
export class Refused extends Error {
  readonly errorName: string;
  readonly args: readonly unknown[];
  constructor(errorName: string, args: readonly unknown[]) {
    super(`${errorName}(${args.map(String).join(", ")})`);
    this.errorName = errorName;
    this.args = args;
  }
}

type Receipt = Pick<Done, "logs"> & { readonly gasUsed: Hex; readonly contractAddress?: Address };
type Rpc = (method: string, params?: unknown[]) => Promise<unknown>;

export class Chain {
  readonly accounts: readonly Address[];
  readonly rpc: Rpc;
  now: bigint;
  private readonly errors: Abi[number][] = [];

  private constructor(rpc: Rpc, accounts: Address[], now: bigint) {
    this.rpc = rpc;
    this.accounts = accounts;
    this.now = now;
  }

  static async open(): Promise<Chain> {
    const connection = await network.create({
      network: "default",
      override: {
        initialBaseFeePerGas: 0n,
        blockGasLimit: 300_000_000n,
        allowBlocksWithSameTimestamp: true,
        accounts: { accountsBalance: 10n ** 30n, count: 20 },
      },
    });
    const rpc: Rpc = (method, params = []) => connection.provider.request({ method, params });
    const accounts = (await rpc("eth_accounts")) as Address[];
    const block = (await rpc("eth_getBlockByNumber", ["latest", false])) as { timestamp: Hex };
    return new Chain(
      rpc,
      accounts.map((account) => getAddress(account)),
      hexToBigInt(block.timestamp),
    );
  }

  pass(seconds: bigint | number): void {
    this.now += BigInt(seconds);
  }

  async deploy(name: string, args: readonly unknown[] = []): Promise<Contract> {
    const artifact = await artifacts.readArtifact(name);
    const abi = artifact.abi as unknown as Abi;
    this.errors.push(...abi.filter((item) => item.type === "error"));
    const from = this.accounts[0] as Address;
    const data = encodeDeployData({ abi, bytecode: artifact.bytecode as Hex, args });
    const receipt = await this.transact({ from, data, gas: numberToHex(16_000_000) });
    return { name, abi, address: getAddress(receipt.contractAddress as Address) };
  }

  /** Sends in a block of its own, at the test's time. Throws `Refused`. */
  async send({ from, to, fn, args = [], value = 0n, gas = 16_000_000n }: Call): Promise<Done> {
    const data = encodeFunctionData({ abi: to.abi, functionName: fn, args });
    const receipt = await this.transact({ from, to: to.address, data, value: numberToHex(value), gas: numberToHex(gas) });
    return { gasUsed: hexToBigInt(receipt.gasUsed), logs: receipt.logs };
  }

  async transfer(from: Address, to: Address, value: bigint, data: Hex = "0x"): Promise<void> {
    await this.transact({ from, to, data, value: numberToHex(value), gas: numberToHex(1_000_000) });
  }

  /** Reads at the test's time. Throws `Refused`. */
  async read<T>(to: Contract, fn: string, args: readonly unknown[] = []): Promise<T> {
    const data = encodeFunctionData({ abi: to.abi, functionName: fn, args });
    const block = (await this.rpc("eth_getBlockByNumber", ["latest", false])) as { timestamp: Hex };
    if (hexToBigInt(block.timestamp) !== this.now) {
      await this.rpc("evm_setNextBlockTimestamp", [numberToHex(this.now)]);
      await this.rpc("evm_mine");
    }
    try {
      const result = (await this.rpc("eth_call", [{ to: to.address, data }, "latest"])) as Hex;
      return decodeFunctionResult({ abi: to.abi, functionName: fn, args, data: result }) as T;
    } catch (error) {
      throw this.refusal(error);
    }
  }

  async balance(account: Address): Promise<bigint> {
    return hexToBigInt((await this.rpc("eth_getBalance", [account, "latest"])) as Hex);
  }

  async snapshot(): Promise<() => Promise<void>> {
    const [id, now] = [await this.rpc("evm_snapshot"), this.now];
    return async () => {
      await this.rpc("evm_revert", [id]);
      this.now = now;
    };
  }

  /** The events of these contracts, in order. */
  events(done: Done, ...contracts: readonly Contract[]): Event[] {
    return done.logs.flatMap((log) => {
      const contract = contracts.find(({ address }) => address === getAddress(log.address));
      if (contract === undefined) return [];
      const { eventName, args } = decodeEventLog({ abi: contract.abi, data: log.data, topics: log.topics });
      return [{ name: String(eventName), args: args as unknown as Record<string, unknown> }];
    });
  }

  private async transact(transaction: Record<string, unknown>) {
    await this.rpc("evm_setNextBlockTimestamp", [numberToHex(this.now)]);
    try {
      const hash = await this.rpc("eth_sendTransaction", [{ ...transaction, gasPrice: "0x0" }]);
      return (await this.rpc("eth_getTransactionReceipt", [hash])) as Receipt;
    } catch (error) {
      throw this.refusal(error);
    }
  }

  private refusal(error: unknown): Error {
    const data = (error as { data?: unknown }).data;
    const raw = typeof data === "string" ? data : (data as { data?: unknown } | undefined)?.data;
    if (!isHex(raw)) return error as Error;
    if (raw === "0x") return new Refused("nothing", []);
    try {
      const { errorName, args } = decodeErrorResult({ abi: this.errors as Abi, data: raw });
      return new Refused(errorName, args ?? []);
    } catch {
      return new Refused(raw, []);
    }
  }
}
