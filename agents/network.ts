import { address, choice, integer, list, optional, readSettings, url } from "@clawcompute/lib/config/env";
import { type Network, networkNames, networkOf } from "@clawcompute/lib/config/network";

/** Which chain, for every program. */
export const networkSettings = {
  network: choice("NETWORK", { describe: "chain to work on", fallback: "local", of: networkNames }),
  rpcUrls: optional(list(url("RPC_URL", { describe: "RPC endpoints, the preferred one first, separated by commas" }))),
  wsUrl: optional(url("WS_URL", { describe: "WebSocket endpoint of the chain", protocols: ["ws:", "wss:"] })),
  chainId: optional(integer("CHAIN_ID", { describe: "chain id, for the network custom", min: 1, max: 999_999_999_999 })),
  registry: optional(address("REGISTRY_ADDRESS", { describe: "ComputeRegistry, where it is not the committed one" })),
  streamPay: optional(address("STREAM_PAY_ADDRESS", { describe: "StreamPay, where it is not the committed one" })),
  paymentChannel: optional(address("PAYMENT_CHANNEL_ADDRESS", { describe: "PaymentChannel, where it is not the committed one" })),
  deployBlock: optional(
    integer("DEPLOY_BLOCK", { describe: "block of the contracts' deployment", unit: "block", min: 0, max: 999_999_999_999 }),
  ),
};

/** Throws CONFIG_INVALID naming the variable, or CONTRACT_MISSING. */
export function readNetwork(env: Readonly<Record<string, string | undefined>>): Network {
  const { network: name, rpcUrls, wsUrl, chainId, registry, streamPay, paymentChannel, deployBlock } = readSettings(networkSettings, env);
  return networkOf({
    name,
    ...(rpcUrls ? { rpcUrls } : {}),
    ...(wsUrl ? { wsUrl } : {}),
    ...(chainId ? { chainId } : {}),
    contracts: { ...(registry ? { registry } : {}), ...(streamPay ? { streamPay } : {}), ...(paymentChannel ? { paymentChannel } : {}) },
    ...(deployBlock === undefined ? {} : { deployBlock: BigInt(deployBlock) }),
  });
}
