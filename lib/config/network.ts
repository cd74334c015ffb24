import type { Address } from "viem";
import { AppError } from "../errors/index.ts";
import addresses from "./addresses.json" with { type: "json" };
import { address, choice, integer, list, optional, readSettings, url, type Values } from "./env.ts";

export interface Contracts {
  readonly registry: Address;
  readonly streamPay: Address;
  readonly paymentChannel: Address;
}

/** A chain as such, whether or not our contracts are on it. */
export interface ChainParameters {
  /** "local", "bsc-testnet", "bsc" or "custom". */
  readonly name: string;
  readonly chainId: number;
  readonly rpcUrls: readonly string[];
  readonly wsUrl?: string;
  readonly explorerUrl?: string;
  readonly nativeSymbol: string;
  readonly blockTimeMs: number;
  /** Blocks, its own included, after which a transaction counts as done. */
  readonly confirmations: number;
  /** True for development chains only: there, and only there, development keys are welcome. */
  readonly isLocal: boolean;
}

export interface Network extends ChainParameters {
  readonly contracts: Contracts;
  /** No event of the contracts is older. */
  readonly deployBlock: bigint;
}

export interface ChainOptions {
  readonly name: string;
  readonly rpcUrls?: readonly string[];
  readonly wsUrl?: string;
  readonly chainId?: number;
}

export interface NetworkOptions extends ChainOptions {
  readonly contracts?: Partial<Contracts>;
  readonly deployBlock?: bigint;
}

const developmentChainIds: readonly number[] = [31337, 1337];

/** By name; RPC endpoints are public ones and rate limited: name your own for anything serious. */
const known: Readonly<Record<string, ChainParameters>> = {
  local: {
    name: "local",
    chainId: 31337,
    rpcUrls: ["http://127.0.0.1:8545"],
    nativeSymbol: "ETH",
    blockTimeMs: 1000,
    confirmations: 1,
    isLocal: true,
  },
  "bsc-testnet": {
    name: "bsc-testnet",
    chainId: 97,
    rpcUrls: ["https://data-seed-prebsc-1-s1.bnbchain.org:8545", "https://bsc-testnet-rpc.publicnode.com"],
    explorerUrl: "https://testnet.bscscan.com",
    nativeSymbol: "tBNB",
    blockTimeMs: 450,
    confirmations: 3,
    isLocal: false,
  },
  bsc: {
    name: "bsc",
    chainId: 56,
    rpcUrls: ["https://bsc-dataseed.bnbchain.org", "https://bsc-rpc.publicnode.com"],
    explorerUrl: "https://bscscan.com",
    nativeSymbol: "BNB",
    blockTimeMs: 450,
    confirmations: 3,
    isLocal: false,
  },
};

export const networkNames: readonly string[] = [...Object.keys(known), "custom"];

/** The chain without our contracts: what a deployment starts from. Throws CONFIG_INVALID. */
export function chainParametersOf({ name, rpcUrls = [], wsUrl, chainId }: ChainOptions): ChainParameters {
  for (const url of rpcUrls) checkUrl("RPC_URL", url, ["http:", "https:"]);
  if (wsUrl !== undefined) checkUrl("WS_URL", wsUrl, ["ws:", "wss:"]);
  const base = name === "custom" ? customChain(chainId, rpcUrls) : known[name];
  if (!base) throw invalid("NETWORK", `there is no network "${name}"; known are ${networkNames.join(", ")}`);
  if (chainId !== undefined && chainId !== base.chainId) {
    throw invalid("CHAIN_ID", `network ${name} is chain ${base.chainId}, not ${chainId}`, "Leave CHAIN_ID out, or use the network custom.");
  }
  return { ...base, ...(rpcUrls.length ? { rpcUrls } : {}), ...(wsUrl === undefined ? {} : { wsUrl }) };
}

/** The chain with our contracts on it. Throws CONFIG_INVALID, or CONTRACT_MISSING when an address is not known. */
export function networkOf(options: NetworkOptions): Network {
  const chain = chainParametersOf(options);
  const deployed = deployedOn(chain.chainId);
  const contracts = {} as Record<keyof Contracts, Address>;
  for (const key of ["registry", "streamPay", "paymentChannel"] as const) {
    const address = options.contracts?.[key] ?? deployed?.[key];
    if (address === undefined) {
      throw new AppError("CONTRACT_MISSING", `The address of ${key} on chain ${chain.chainId} is not known.`, {
        param: key,
        facts: { chainId: chain.chainId, contract: key },
        hint: "Run scripts/deploy.ts for this chain, or configure the address.",
      });
    }
    if (!/^0x[0-9a-fA-F]{40}$/.test(address)) throw invalid(key, "must be a 0x-prefixed address of 20 bytes");
    contracts[key] = address;
  }
  const deployBlock = options.deployBlock ?? BigInt(deployed?.deployBlock ?? 0);
  if (deployBlock < 0n) throw invalid("DEPLOY_BLOCK", "must not be negative");
  return { ...chain, contracts, deployBlock };
}

function customChain(chainId: number | undefined, rpcUrls: readonly string[]): ChainParameters {
  if (chainId === undefined) throw invalid("CHAIN_ID", "is required for the network custom");
  if (!Number.isSafeInteger(chainId) || chainId <= 0) throw invalid("CHAIN_ID", "must be a positive whole number");
  if (rpcUrls.length === 0) throw invalid("RPC_URL", "is required for the network custom");
  const isLocal = developmentChainIds.includes(chainId);
  const same = Object.values(known).find((chain) => chain.chainId === chainId);
  if (same) return { ...same, name: "custom" };
  return {
    name: "custom",
    chainId,
    rpcUrls,
    nativeSymbol: "ETH",
    blockTimeMs: isLocal ? 1000 : 2000,
    confirmations: isLocal ? 1 : 3,
    isLocal,
  };
}

function deployedOn(chainId: number): (Contracts & { deployBlock: number }) | undefined {
  return (addresses as Record<string, unknown>)[String(chainId)] as (Contracts & { deployBlock: number }) | undefined;
}

function checkUrl(name: string, value: string, protocols: readonly string[]): void {
  const parsed = URL.canParse(value) ? new URL(value) : undefined;
  if (!parsed || !protocols.includes(parsed.protocol)) throw invalid(name, `must be a URL starting with ${protocols.join(" or ")}`);
}

function invalid(name: string, reason: string, hint?: string): AppError {
  return new AppError("CONFIG_INVALID", `${name}: ${reason}.`, { param: name, ...(hint ? { hint } : {}) });
}

/** The variables that name a chain, the same for every program. */
export const networkSettings = {
  network: choice("NETWORK", { describe: "the chain", fallback: "local", of: ["local", "bsc-testnet", "bsc", "custom"] }),
  rpcUrls: optional(
    list(url("RPC_URL", { describe: "RPC endpoints in order of preference, separated by commas; default: the network's public ones" })),
  ),
  wsUrl: optional(url("WS_URL", { describe: "WebSocket endpoint that announces new blocks", protocols: ["ws:", "wss:"] })),
  bscTestnetRpc: optional(
    url("BSC_TESTNET_RPC", { describe: "RPC endpoint of BSC testnet; also chooses that network when NETWORK is not set" }),
  ),
  chainId: optional(integer("CHAIN_ID", { describe: "chain id of the network custom", min: 1, max: 999_999_999_999 })),
  registry: optional(address("REGISTRY_ADDRESS", { describe: "ComputeRegistry, where it is not the committed one" })),
  streamPay: optional(address("STREAM_PAY_ADDRESS", { describe: "StreamPay, where it is not the committed one" })),
  paymentChannel: optional(address("PAYMENT_CHANNEL_ADDRESS", { describe: "PaymentChannel, where it is not the committed one" })),
  deployBlock: optional(
    integer("DEPLOY_BLOCK", { describe: "block from which events are read", unit: "block", min: 0, max: 999_999_999_999 }),
  ),
};

/** The network that the settings name. Throws CONFIG_INVALID or CONTRACT_MISSING. */
export function networkFrom(values: Values<typeof networkSettings>): Network {
  const { network: name, rpcUrls, wsUrl, chainId, registry, streamPay, paymentChannel, deployBlock } = values;
  return networkOf({
    name,
    contracts: { ...(registry && { registry }), ...(streamPay && { streamPay }), ...(paymentChannel && { paymentChannel }) },
    ...(rpcUrls && { rpcUrls }),
    ...(wsUrl && { wsUrl }),
    ...(chainId && { chainId }),
    ...(deployBlock === undefined ? {} : { deployBlock: BigInt(deployBlock) }),
  });
}

type Env = Readonly<Record<string, string | undefined>>;

export function networkFromEnv(env: Env): Network {
  return networkFrom(readNetworkSettings(env));
}

/** The settings with BSC_TESTNET_RPC taken in. Throws CONFIG_INVALID. */
export function readNetworkSettings(env: Env): Values<typeof networkSettings> {
  if (!env.BSC_TESTNET_RPC) return readSettings(networkSettings, env);
  const network = env.NETWORK || "bsc-testnet";
  const named = network === "bsc-testnet" ? { ...env, NETWORK: network, RPC_URL: env.RPC_URL || env.BSC_TESTNET_RPC } : env;
  return readSettings(networkSettings, named);
}
