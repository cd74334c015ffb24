// The plumbing of every suite: one simulated chain, transactions, and the rows they leave.
import { network } from "hardhat";
import {
  type Abi,
  type Address,
  decodeFunctionResult,
  encodeDeployData,
  encodeFunctionData,
  getAddress,
  type Hex,
  hexToNumber,
  numberToHex,
} from "viem";

export interface Artifact {
  abi: Abi;
  bytecode: Hex;
}

export interface Deployed {
  address: Address;
  abi: Abi;
}

/** One measured operation; `gasUsed` is the receipt's, refunds taken off, divided by the batch size where there is one. */
export interface Row {
  suite: string;
  operation: string;
  gasUsed: number;
  goal?: string;
}

interface Receipt {
  status: Hex;
  gasUsed: Hex;
  contractAddress: Address;
  logs: { address: Address; data: Hex; topics: Hex[] }[];
}

/** Osaka is the fork that is measured; `roomy` allows transactions above EIP-7825's cap, for setting up only. */
export type Room = "osaka" | "roomy";

export class Chain {
  readonly rows: Row[] = [];
  readonly suite: string;
  readonly accounts: readonly Address[];
  readonly gasLimit: number;
  readonly #request: (method: string, params?: unknown[]) => Promise<unknown>;
  readonly close: () => Promise<void>;

  private constructor(
    suite: string,
    request: (method: string, params?: unknown[]) => Promise<unknown>,
    accounts: readonly Address[],
    gasLimit: number,
    close: () => Promise<void>,
  ) {
    this.suite = suite;
    this.#request = request;
    this.accounts = accounts;
    this.gasLimit = gasLimit;
    this.close = close;
  }

  static async start(suite: string, room: Room = "osaka"): Promise<Chain> {
    const roomy = room === "roomy";
    const connection = await network.create({
      network: "default",
      override: {
        hardfork: roomy ? "prague" : "osaka",
        allowUnlimitedContractSize: true,
        blockGasLimit: roomy ? 2_000_000_000n : 60_000_000n,
        initialDate: "2026-11-01T00:00:00Z",
      },
    });
    const request = (method: string, params: unknown[] = []) => connection.provider.request({ method, params });
    const accounts = ((await request("eth_accounts")) as Address[]).map((account) => getAddress(account));
    return new Chain(suite, request, accounts, roomy ? 1_900_000_000 : 16_700_000, () => connection.close());
  }

  /** The nth development account; 0 deploys. */
  account(index: number): Address {
    const account = this.accounts[index];
    if (account === undefined) throw new Error(`no account ${index}`);
    return account;
  }

  rpc<T>(method: string, params: unknown[] = []): Promise<T> {
    return this.#request(method, params) as Promise<T>;
  }

  async deploy(artifact: Artifact, args: unknown[] = []): Promise<Deployed> {
    const receipt = await this.#transact({ from: this.account(0), data: encodeDeployData({ ...artifact, args }) }, "deployment");
    return { address: getAddress(receipt.contractAddress), abi: artifact.abi };
  }

  async read<T>(c: Deployed, functionName: string, args: unknown[] = []): Promise<T> {
    const data = await this.rpc<Hex>("eth_call", [
      { from: this.account(0), to: c.address, data: this.data(c, functionName, args) },
      "latest",
    ]);
    return decodeFunctionResult({ abi: c.abi, functionName, data }) as T;
  }

  data(c: Deployed, functionName: string, args: unknown[]): Hex {
    return encodeFunctionData({ abi: c.abi, functionName, args });
  }

  send(from: Address, c: Deployed, functionName: string, args: unknown[] = [], value = 0n): Promise<Receipt> {
    return this.#transact({ from, to: c.address, data: this.data(c, functionName, args), value: numberToHex(value) }, functionName);
  }

  async warp(seconds: number): Promise<void> {
    await this.rpc("evm_increaseTime", [numberToHex(seconds)]);
    await this.rpc("evm_mine");
  }

  /** Sends and records a row; `n` is the batch size that the gas is divided by. */
  async measure(
    operation: string,
    from: Address,
    c: Deployed,
    functionName: string,
    args: unknown[] = [],
    more: { value?: bigint; n?: number; goal?: string } = {},
  ): Promise<Receipt> {
    const receipt = await this.send(from, c, functionName, args, more.value);
    this.record(operation, Math.round(hexToNumber(receipt.gasUsed) / (more.n ?? 1)), more.goal);
    return receipt;
  }

  record(operation: string, gasUsed: number, goal?: string): void {
    this.rows.push({ suite: this.suite, operation, gasUsed, ...(goal === undefined ? {} : { goal }) });
  }

  async #transact(transaction: { from: Address; to?: Address; data: Hex; value?: Hex }, what: string): Promise<Receipt> {
    const hash = await this.rpc<Hex>("eth_sendTransaction", [{ ...transaction, gas: numberToHex(this.gasLimit) }]);
    const receipt = await this.rpc<Receipt>("eth_getTransactionReceipt", [hash]);
    if (receipt.status !== "0x1") throw new Error(`${this.suite}: ${what} reverted`);
    return receipt;
  }
}
