import { type Address, createPublicClient, type Hex, http, type PublicClient } from "viem";
import { codeMatches, planDeployment } from "../chain/deployment.ts";
import { type Network, networkOf } from "../config/network.ts";
import { AppError } from "../errors/index.ts";
import { devAccounts } from "./devAccounts.ts";
import { readArtifacts } from "./localChainArtifacts.ts";
import { startChainProcess } from "./localChainProcess.ts";

export interface LocalChainOptions {
  /** Default 0: a free one. */
  readonly port?: number;
  /** Default 1000. 0: blocks come by `mine()` only. */
  readonly blockTimeMs?: number;
  /** File that keeps the chain over restarts (anvil only). */
  readonly statePath?: string;
  /** How many development accounts hold coins. Default 20. */
  readonly accounts?: number;
  readonly engine?: "anvil" | "hardhat";
  /** Default 31337; another one only with anvil. The network is "local" all the same. */
  readonly chainId?: number;
  /** Default true. False: an empty chain. */
  readonly withContracts?: boolean;
}

/** A real chain of our own, with our contracts on it. */
export interface LocalChain {
  readonly rpcUrl: string;
  readonly wsUrl: string;
  readonly network: Network;
  readonly engine: "anvil" | "hardhat";
  readonly pid: number;
  /** Resolves when the process has gone. */
  readonly exited: Promise<number | null>;
  /** Mines at once, beside the interval. Default one block. */
  mine(blocks?: number): Promise<void>;
  /** Moves chain time on and mines one block. */
  advance(seconds: number): Promise<void>;
  setBalance(address: Address, wei: bigint): Promise<void>;
  /** Any RPC method, such as anvil_reorg. */
  request<T = unknown>(method: string, params?: readonly unknown[]): Promise<T>;
  stop(): Promise<void>;
}

/** Starts the chain and deploys the contracts at their committed addresses, unless the saved state has them already. */
export async function startLocalChain(options: LocalChainOptions = {}): Promise<LocalChain> {
  const { port = 0, blockTimeMs = 1000, statePath, accounts = devAccounts.length, engine, chainId = 31337, withContracts = true } = options;
  const running = await startChainProcess({ port, blockTimeMs, statePath, accounts, engine, chainId });
  const rpcUrl = `http://127.0.0.1:${running.port}`;
  const wsUrl = `ws://127.0.0.1:${running.port}`;
  const client = createPublicClient({ transport: http(rpcUrl, { retryCount: 0 }), cacheTime: 0 });
  const request = <T>(method: string, params: readonly unknown[] = []) => client.request({ method, params } as never) as Promise<T>;
  const network = { ...networkOf({ name: "local", rpcUrls: [rpcUrl] }), blockTimeMs: blockTimeMs || 1000, chainId };
  const mine = async (blocks = 1) => {
    for (let mined = 0; mined < blocks; mined += 1) await request("evm_mine");
  };
  try {
    if (running.engine === "hardhat" && blockTimeMs !== 1000) await request("evm_setIntervalMining", [blockTimeMs]);
    if (withContracts) await deploy(client, network, mine);
  } catch (cause) {
    await running.stop();
    throw cause;
  }
  const setBalance = running.engine === "anvil" ? "anvil_setBalance" : "hardhat_setBalance";
  return {
    rpcUrl,
    wsUrl,
    network,
    engine: running.engine,
    pid: running.pid,
    exited: running.exited,
    mine,
    advance: async (seconds) => {
      await request("evm_increaseTime", [seconds]);
      await request("evm_mine");
    },
    setBalance: (address, wei) => request(setBalance, [address, `0x${wei.toString(16)}`]),
    request,
    stop: running.stop,
  };
}

async function deploy(client: PublicClient, network: Network, mine: () => Promise<void>): Promise<void> {
  const deployer = devAccounts[0] as (typeof devAccounts)[number];
  const artifacts = readArtifacts();
  const nonce = await client.getTransactionCount({ address: deployer.address });
  const steps = planDeployment(deployer.address, 0, artifacts);
  if (nonce === 0) {
    const hashes: Hex[] = [];
    for (const { data, nonce } of steps) {
      const raw = await deployer.signTransaction({
        chainId: network.chainId,
        type: "eip1559",
        nonce,
        data,
        gas: 10_000_000n,
        maxFeePerGas: 10_000_000_000n,
        maxPriorityFeePerGas: 1_000_000_000n,
      });
      hashes.push(await client.request({ method: "eth_sendRawTransaction", params: [raw] }));
    }
    await mine();
    for (const hash of hashes) await client.waitForTransactionReceipt({ hash, pollingInterval: 20 });
  }
  for (const { contract, address } of steps) {
    const committed = network.contracts[contract];
    const fits = codeMatches(await client.getCode({ address }), artifacts[contract]);
    if (fits && committed.toLowerCase() === address.toLowerCase()) continue;
    throw new AppError("CONTRACT_MISSING", `The local chain holds another ${contract} at ${address} than the one built here.`, {
      facts: { contract, address, committed },
      hint: "Remove the saved state of the local chain to start a new one.",
    });
  }
}
